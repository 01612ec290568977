/**
 * Functions of the server that ordinary statements call, and types that may be followed by a bracket. They are harmless,
 * so that most statements can be judged before the database's catalogue has been read. A service that puts functions of
 * its own with such names ahead of `pg_catalog` in its search path must declare them.
 */
export const KNOWN_FUNCTIONS: ReadonlySet<string> = new Set(
  `
  any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp every json_agg
  json_agg_strict json_object_agg json_object_agg_unique jsonb_agg jsonb_object_agg max min mode percentile_cont
  percentile_disc range_agg range_intersect_agg regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope stddev
  stddev_pop stddev_samp string_agg sum var_pop var_samp variance xmlagg
  cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
  abs acos asin atan atan2 cbrt ceil ceiling cos cot degrees div exp factorial floor gcd lcm ln log log10 mod pi pow
  power radians random random_normal round scale sign sin sqrt tan trim_scale trunc width_bucket
  ascii bit_length btrim casefold char_length character_length chr concat concat_ws convert convert_from convert_to
  crc32 decode encode format gen_random_bytes gen_random_uuid initcap left length lower lpad ltrim md5 octet_length
  parse_ident quote_ident quote_literal quote_nullable regexp_count regexp_instr regexp_like regexp_match regexp_matches
  regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr repeat replace reverse right rpad rtrim sha224
  sha256 sha384 sha512 split_part starts_with string_to_array string_to_table strpos substr to_hex translate unistr upper
  uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7
  get_bit get_byte set_bit set_byte
  age clock_timestamp date_add date_bin date_part date_subtract date_trunc isfinite justify_days justify_hours
  justify_interval make_date make_interval make_time make_timestamp make_timestamptz now pg_sleep pg_sleep_for
  pg_sleep_until statement_timestamp timeofday timezone to_char to_date to_number to_timestamp transaction_timestamp
  overlaps
  enum_first enum_last enum_range
  array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position array_positions
  array_prepend array_remove array_replace array_reverse array_sample array_shuffle array_sort array_to_json
  array_to_string array_upper cardinality generate_series generate_subscripts trim_array unnest
  isempty lower_inc lower_inf multirange range_merge upper_inc upper_inf
  array_to_tsvector json_array_elements json_array_elements_text json_array_length json_build_array json_build_object
  json_each json_each_text json_extract_path json_extract_path_text json_object_keys json_populate_record
  json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_typeof jsonb_array_elements
  jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text
  jsonb_exists jsonb_exists_all jsonb_exists_any jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object
  jsonb_object_keys jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array jsonb_path_query_first
  jsonb_populate_record jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record
  jsonb_to_recordset jsonb_typeof row_to_json to_json to_jsonb
  get_current_ts_config numnode phraseto_tsquery plainto_tsquery querytree setweight strip to_tsquery to_tsvector
  ts_delete ts_filter ts_headline ts_lexize ts_rank ts_rank_cd tsvector_to_array websearch_to_tsquery
  area box center circle diameter height line lseg npoints path point polygon radius width
  abbrev broadcast family host hostmask inet_client_addr inet_client_port inet_merge inet_same_family inet_server_addr
  inet_server_port masklen netmask network set_masklen text
  col_description current_database current_query current_schema current_schemas current_setting format_type
  has_any_column_privilege has_column_privilege has_database_privilege has_function_privilege has_schema_privilege
  has_sequence_privilege has_table_privilege has_type_privilege num_nonnulls num_nulls obj_description pg_backend_pid
  pg_blocking_pids pg_cancel_backend pg_client_encoding pg_collation_for pg_column_size pg_conf_load_time
  pg_current_snapshot pg_current_wal_lsn pg_current_xact_id pg_current_xact_id_if_assigned pg_database_size
  pg_encoding_to_char pg_export_snapshot pg_function_is_visible pg_get_constraintdef pg_get_expr
  pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result pg_get_functiondef pg_get_indexdef
  pg_get_partkeydef pg_get_ruledef pg_get_serial_sequence pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role
  pg_indexes_size pg_is_in_recovery pg_is_other_temp_schema pg_last_wal_receive_lsn pg_last_wal_replay_lsn
  pg_last_xact_replay_timestamp pg_listening_channels pg_my_temp_schema pg_notify pg_postmaster_start_time
  pg_relation_size pg_size_bytes pg_size_pretty pg_stat_get_activity pg_table_is_visible pg_table_size
  pg_terminate_backend pg_total_relation_size pg_trigger_depth pg_type_is_visible pg_typeof pg_wal_lsn_diff
  pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared
  row_security_active shobj_description to_regclass to_regnamespace to_regproc to_regprocedure to_regrole to_regtype
  txid_current txid_current_if_assigned version
  xmlcomment xpath xpath_exists
  bpchar bytea date float4 float8 int2 int4 int8 jsonb money name timestamptz timetz uuid varbit
  daterange int4range int8range numrange tsrange tstzrange datemultirange int4multirange int8multirange nummultirange
  tsmultirange tstzmultirange
  `
    .trim()
    .split(/\s+/),
)
