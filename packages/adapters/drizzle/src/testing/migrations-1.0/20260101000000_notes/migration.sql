create table notes (note text not null);
--> statement-breakpoint
insert into notes values ('migrated');
