-- Money is counted in cents, as integers.

create table if not exists accounts (
  id            integer generated always as identity primary key,
  owner         text not null,
  balance_cents integer not null check (balance_cents >= 0)
);

create table if not exists orders (
  id           integer generated always as identity primary key,
  account_id   integer not null references accounts,
  item         text not null,
  amount_cents integer not null check (amount_cents > 0),
  ordered_at   timestamptz not null default now()
);

create index if not exists orders_by_account on orders (account_id, id);

create table if not exists transfers (
  id           integer generated always as identity primary key,
  payer_id     integer not null references accounts,
  payee_id     integer not null references accounts,
  amount_cents integer not null check (amount_cents > 0),
  made_at      timestamptz not null default now(),
  check (payer_id <> payee_id)
);
