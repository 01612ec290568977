create table orders (id serial primary key, customer text not null);
--> statement-breakpoint
create table lines (order_id integer not null, product text not null);
