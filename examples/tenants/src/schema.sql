-- Nobody but the service's own role may touch the notes, and it sees those of the tenant that the session names. A session
-- that names none sees none: once a setting has been cleared it is '', not null.
create table if not exists notes (
  id int generated always as identity primary key,
  tenant_id text not null default current_setting('app.tenant_id'),
  text text not null
);

alter table notes enable row level security;

do $$
begin
  create role notes_app nologin;
exception
  when duplicate_object or unique_violation then null;
end
$$;
grant select, insert on notes to notes_app;

drop policy if exists own_notes on notes;
create policy own_notes on notes to notes_app
  using (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
