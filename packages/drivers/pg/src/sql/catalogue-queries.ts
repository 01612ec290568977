/** Objects that the server comes with have lower numbers. */
const FIRST_OF_USERS = 16_384

/** What the server's own functions do to a session is known by name; these are all their names. */
export const SERVER_FUNCTIONS = `
  select distinct n.nspname as schema, p.proname as name
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where p.oid < ${FIRST_OF_USERS}`

/**
 * The functions, procedures and aggregates of the database, with their settings, and with their bodies where those can be
 * read, followed by the defaults of their arguments. An aggregate is given a body that calls the functions of which it is
 * made.
 */
export const ROUTINES = `
  select n.nspname as schema, p.proname as name,
    case when p.prokind = 'a' then 'plpgsql' else l.lanname end as language,
    p.proconfig as settings,
    case
      when p.prokind = 'a' then (
        select 'perform ' || concat_ws('(), ', nullif(a.aggtransfn, 0)::regproc, nullif(a.aggfinalfn, 0)::regproc,
          nullif(a.aggmtransfn, 0)::regproc, nullif(a.aggmfinalfn, 0)::regproc) || '()'
        from pg_catalog.pg_aggregate a where a.aggfnoid = p.oid)
      when l.lanname = 'sql' and p.prosrc = '' then pg_catalog.pg_get_functiondef(p.oid)
      when l.lanname in ('sql', 'plpgsql') then
        concat(p.prosrc, '; select ' || pg_catalog.pg_get_expr(p.proargdefaults, 'pg_proc'::regclass))
    end as body,
    l.lanname = 'sql' and p.prosrc = '' as "isStandard"
  from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    join pg_catalog.pg_language l on l.oid = p.prolang
  where p.oid >= ${FIRST_OF_USERS} and n.nspname !~ '^pg_(temp|toast_temp)_'`

/** Built-in functions that change a session, to be found in the expressions of views, defaults and policies. */
const STATEFUL = `'set_config|advisory_(lock|unlock)|setseed|_replication_slot|replication_origin_session|backup_st'`

/**
 * What runs unseen when a table or view is used, for each as a body that calls it: triggers, rules and queries of views,
 * defaults, constraints, also those of domains, policies; and what else is reached through it, as partitions, tables under
 * views, and tables with cascading foreign keys. Temporary ones are anybody's: their names are all that is known of them.
 */
export const RELATIONS = `
  with calls (relation, call) as (
    select tgrelid, 'perform ' || tgfoid::regproc || '()' from pg_catalog.pg_trigger where not tgisinternal
    union all
    select r.ev_class, 'perform ' || d.refobjid::regproc || '()'
    from pg_catalog.pg_depend d join pg_catalog.pg_rewrite r on r.oid = d.objid
    where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_proc'::regclass and d.refobjid >= ${FIRST_OF_USERS}
    union all
    select a.adrelid, 'perform ' || d.refobjid::regproc || '()'
    from pg_catalog.pg_depend d join pg_catalog.pg_attrdef a on a.oid = d.objid
    where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_proc'::regclass and d.refobjid >= ${FIRST_OF_USERS}
    union all
    select c.conrelid, 'perform ' || d.refobjid::regproc || '()'
    from pg_catalog.pg_depend d join pg_catalog.pg_constraint c on c.oid = d.objid and c.conrelid <> 0
    where d.classid = 'pg_constraint'::regclass and d.refclassid = 'pg_proc'::regclass and d.refobjid >= ${FIRST_OF_USERS}
    union all
    select a.attrelid, 'perform ' || d.refobjid::regproc || '()'
    from pg_catalog.pg_depend d join pg_catalog.pg_constraint c on c.oid = d.objid and c.contypid <> 0
      join pg_catalog.pg_attribute a on a.atttypid = c.contypid
    where d.classid = 'pg_constraint'::regclass and d.refclassid = 'pg_proc'::regclass and d.refobjid >= ${FIRST_OF_USERS}
    union all
    select p.polrelid, 'perform ' || d.refobjid::regproc || '()'
    from pg_catalog.pg_depend d join pg_catalog.pg_policy p on p.oid = d.objid
    where d.classid = 'pg_policy'::regclass and d.refclassid = 'pg_proc'::regclass and d.refobjid >= ${FIRST_OF_USERS}
    union all
    select ev_class, 'perform ' || definition
    from (select ev_class, pg_catalog.pg_get_ruledef(oid) as definition
      from pg_catalog.pg_rewrite where oid >= ${FIRST_OF_USERS}) rules
    where definition ~ ${STATEFUL}
    union all
    select adrelid, 'perform ' || expression
    from (select adrelid, pg_catalog.pg_get_expr(adbin, adrelid) as expression from pg_catalog.pg_attrdef) defaults
    where expression ~ ${STATEFUL}
    union all
    select coalesce(attrelid, conrelid), 'perform ' || definition
    from (select c.conrelid, a.attrelid, pg_catalog.pg_get_constraintdef(c.oid) as definition
      from pg_catalog.pg_constraint c left join pg_catalog.pg_attribute a on c.contypid <> 0 and a.atttypid = c.contypid
      where c.contype = 'c' and c.oid >= ${FIRST_OF_USERS}) checks
    where definition ~ ${STATEFUL}
    union all
    select polrelid, 'perform ' || expression
    from (select polrelid, concat_ws(', ', pg_catalog.pg_get_expr(polqual, polrelid),
        pg_catalog.pg_get_expr(polwithcheck, polrelid)) as expression from pg_catalog.pg_policy) policies
    where expression ~ ${STATEFUL}
    union all
    select r.ev_class, 'perform from ' || d.refobjid::regclass
    from pg_catalog.pg_depend d join pg_catalog.pg_rewrite r on r.oid = d.objid and r.ev_class <> d.refobjid
    where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid >= ${FIRST_OF_USERS}
    union all
    select inhparent, 'perform from ' || inhrelid::regclass from pg_catalog.pg_inherits
    union all
    select confrelid, 'perform from ' || conrelid::regclass
    from pg_catalog.pg_constraint
    where contype = 'f' and (confdeltype in ('c', 'n', 'd') or confupdtype in ('c', 'n', 'd'))
  )
  select n.nspname as schema, c.relname as name, string_agg(distinct calls.call, '; ') as body
  from calls
    join pg_catalog.pg_class c on c.oid = calls.relation
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  group by 1, 2`
