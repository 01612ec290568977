import { Client } from 'pg'

/** What the statements of the truth suite need: tables that fail at COMMIT, roles, and routines that change the session. */
const OBJECTS = `
  create table things (id serial primary key, name text);
  create table checked_late (id integer unique deferrable initially deferred);
  create table watched (id integer);
  create table watched_harmlessly (id integer);
  create sequence counter;
  insert into things (name) select 'thing ' || n from generate_series(1, 20) as n;

  create function plain_sum(a integer, b integer) returns integer language sql as 'select a + b';
  create function plain_loop() returns integer language plpgsql as $$
    declare total integer := 0; begin for i in 1..3 loop total := total + i; end loop; return total; end $$;
  create function sets_in_sql() returns text language sql as $$ select set_config('work_mem', '7MB', false) $$;
  create function sets_in_plpgsql() returns void language plpgsql as $$
    begin perform set_config('work_mem', '8MB', false); end $$;
  create function sets_with_statement() returns void language plpgsql as $$
    begin set statement_timeout = '61s'; end $$;
  create function sets_in_subtransaction(fails boolean) returns void language plpgsql as $$
    begin
      begin
        perform set_config('work_mem', '9MB', false);
        if fails then raise exception 'as asked'; end if;
      exception when others then null;
      end;
    end $$;
  create function sets_despite_its_clause() returns void language plpgsql set work_mem = '10MB' as $$
    begin set work_mem = '11MB'; end $$;
  create function restores_by_its_clause() returns integer language sql set work_mem = '10MB' as 'select 1';
  create function sets_locally() returns void language plpgsql as $$
    begin perform set_config('work_mem', '12MB', true); set local statement_timeout = '62s'; end $$;
  create function calls_one_that_sets() returns void language plpgsql as $$ begin perform sets_in_plpgsql(); end $$;
  create function sets_tenant(tenant text) returns void language plpgsql as $$
    begin perform set_config('app.tenant_id', tenant, false); end $$;
  create function set(tenant text) returns void language plpgsql as $$
    begin perform set_config('app.tenant_id', tenant, false); end $$;
  create function locks(key bigint) returns void language plpgsql as $$ begin perform pg_advisory_lock(key); end $$;
  create function locks_seven() returns void language sql as 'select pg_advisory_lock(7)';
  create function makes_temporary() returns void language plpgsql as $$
    begin create temporary table made_within (id integer); end $$;
  create function listens() returns void language plpgsql as $$ begin execute 'listen from_within'; end $$;
  create function becomes_tenant() returns void language plpgsql as $$ begin set role truth_tenant; end $$;
  create function computes_what_it_runs(what text) returns void language plpgsql as $$ begin execute what; end $$;
  create function clears_settings() returns void language plpgsql as $$ begin reset all; end $$;
  create function clears_role() returns void language plpgsql as $$ begin reset role; end $$;
  create function clears_channels() returns void language plpgsql as $$ begin unlisten *; end $$;
  create function clears_by_what_it_computes() returns void language plpgsql as $$
    begin execute 'reset ' || 'work_mem'; end $$;
  create function clears_locks() returns void language sql as 'select pg_advisory_unlock_all()';
  create function clears_temporary() returns void language plpgsql as $$ begin discard temp; end $$;
  create function modern() returns integer language sql begin atomic select plain_sum(1, 2); end;
  create function modern_that_sets() returns text language sql
    begin atomic select set_config('work_mem', '13MB', false); end;
  create procedure sets_and_commits() language plpgsql as $$
    begin perform set_config('work_mem', '14MB', false); commit; perform set_config('work_mem', '15MB', false); end $$;
  create procedure sets_and_rolls_back() language plpgsql as $$
    begin perform set_config('work_mem', '16MB', false); rollback; end $$;
  create procedure sets_and_fails() language plpgsql as $$
    begin perform set_config('work_mem', '14MB', false); commit; perform 1/0; end $$;
  create procedure sets_commits_and_waits() language plpgsql as $$
    begin
      perform set_config('work_mem', '14MB', false); commit;
      perform pg_advisory_lock(31); perform pg_sleep(30);
    end $$;
  create procedure harmless() language plpgsql as $$ begin perform 1; end $$;
  create function of_watched() returns trigger language plpgsql as $$
    begin perform set_config('app.touched', 'yes', false); return new; end $$;
  create function of_watched_harmlessly() returns trigger language plpgsql as $$ begin return new; end $$;
  create trigger touches before insert on watched for each row execute function of_watched();
  create trigger touches before insert on watched_harmlessly for each row execute function of_watched_harmlessly();
  create table guarded (id integer check (id > 0));
  create function of_guarded() returns trigger language plpgsql as $$
    begin perform pg_advisory_lock(14); return new; end $$;
  create trigger locks before insert on guarded for each row execute function of_guarded();
  create table watched_late (id integer);
  create constraint trigger touches after insert on watched_late deferrable initially deferred
    for each row execute function of_watched();
  create domain settled as integer check (set_config('app.touched', 'yes', false) is not null);
  create table settling (id settled);
  create function opens() returns refcursor language plpgsql as $$
    declare opened refcursor := 'opened';
    begin open opened for select set_config('work_mem', '5MB', false); return opened; end $$;
  create function makes_in_its_path() returns void language plpgsql set search_path = pg_temp as $$
    begin create table made_within (id integer); end $$;
  create view stateful as select sets_in_sql() as was;
`

const ROLES = `
  do $$ begin
    if not exists (select from pg_roles where rolname = 'truth_tenant') then create role truth_tenant; end if;
    if not exists (select from pg_roles where rolname = 'Truth Other') then create role "Truth Other"; end if;
  end $$`

export async function prepareDatabase(url: string): Promise<void> {
  const client = new Client(url)
  await client.connect()
  try {
    await client.query(ROLES)
    await client.query(OBJECTS)
    await client.query('grant all on all tables in schema public to truth_tenant, "Truth Other"')
  } finally {
    await client.end()
  }
}
