/**
 * Words that may stand before a bracket and call nothing, or nothing but the server's own: the reserved ones, those that
 * cannot be names of functions, and joins and types.
 */
export const NEVER_CALLED: ReadonlySet<string> = new Set(
  `
  all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
  current_catalog current_date current_role current_time current_timestamp current_user default deferrable desc distinct
  do else end except false fetch for foreign from grant group having ilike in initially insert intersect
  into join lateral leading left like limit localtime localtimestamp materialized not null offset on only or
  order placing primary references returning right select session_user similar some symmetric system_user
  table then to trailing true union unique user using variadic when where window with
  between bigint bit boolean char character coalesce dec decimal exists extract float greatest grouping inout int integer
  interval json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize
  json_table json_value least merge_action national nchar none normalize nullif numeric out overlay position precision
  real row setof smallint substring time timestamp treat trim values varchar xmlattributes xmlconcat xmlelement xmlexists
  xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
  operator
  `
    .trim()
    .split(/\s+/),
)
