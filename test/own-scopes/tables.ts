/** Numbers that no ORM sends for another reason, as it does a limit or an offset. */
export const FIRST_ACCOUNT = 1_001

export const ACCOUNTS = 1_000

/** A thousand accounts, and a view that tells whose session reads it. */
export const TABLES = `
  create table accounts (id int primary key, owner text not null, balance int not null default 0);
  insert into accounts select id, 'owner of ' || id from generate_series(${FIRST_ACCOUNT}, ${FIRST_ACCOUNT + ACCOUNTS - 1}) id;
  create view session as select 1 as id, current_setting('app.tenant', true) as tenant;
`
