{# `view` and `table` as a night needs them: dropped and made anew in one transaction, the audit
   and the publication being the first to read them. dbt's own dance of three names, which keeps a
   reader of the old relation undisturbed, renders eight statements more for each model. #}
{% materialization view, default -%}
    {{ return(made_anew(this.incorporate(type='view'))) }}
{%- endmaterialization %}

{% materialization table, default -%}
    {{ return(made_anew(this.incorporate(type='table'))) }}
{%- endmaterialization %}

{# Made once, then continued: what a night's rows replace is deleted by the model's hooks, or,
   if the table is kept, by `remove_touched`; they are inserted at once, in one transaction with
   that. dbt's own way writes them to a table of their own first. #}
{% materialization incremental, default -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set is_kept = config.get('meta', {}).kept_by is defined -%}
    {%- set finally = note_as_kept() if is_kept else '' -%}
    {%- if existing is none or should_full_refresh() or (is_kept and not follows_changes()) -%}
        {{ return(made_anew(this.incorporate(type='table'), finally=finally)) }}
    {%- endif -%}
    {%- set first = remove_touched(existing) if is_kept else '' -%}
    {{ return(continued(existing, first=first, finally=finally)) }}
{%- endmaterialization %}

{# `first` and `finally` are statements for the same transaction. #}
{% macro continued(target, first='', finally='') -%}
    {%- set columns = adapter.get_columns_in_relation(target)
        | map(attribute='quoted') | join(', ') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- call statement('main') -%}
        {{ first }}
        insert into {{ target }} ({{ columns }})
        select {{ columns }}
        from (
            {{ sql }}
        ) as fresh;
        {{ finally }}
    {%- endcall -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target]}) }}
{%- endmacro %}

{# `finally` is a statement for the same transaction. #}
{% macro made_anew(target, finally='') -%}
    {%- set existing = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- call statement('main') -%}
        {{ planned_for_whole_tables() }}
        {{ drop_first(existing) if existing is not none }}
        {%- if target.is_view -%}
            {{ get_create_view_as_sql(target, sql) }}
        {%- else -%}
            {{ get_create_table_as_sql(False, target, sql) }}
        {%- endif -%}
    {%- endcall -%}
    {%- if target.is_table -%}
        {%- do create_indexes(target) -%}
        {%- do finish(target, model) -%}
    {%- endif -%}
    {%- if finally -%}
        {%- do adapter.add_query(finally) -%}
    {%- endif -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target]}) }}
{%- endmacro %}

{% macro drop_first(existing) -%}
    {{ return(adapter.dispatch('drop_first')(existing)) }}
{%- endmacro %}

{% macro default__drop_first(existing) -%}
    {%- do adapter.drop_relation(existing) -%}
{%- endmacro %}

{# In the same statement: by way of the adapter it costs as much as the rest of a small model. #}
{% macro postgres__drop_first(existing) -%}
    drop {{ existing.type }} if exists {{ existing }} cascade;
{%- endmacro %}

{# Settings for one model, which reads whole tables. Where a planner takes many rows for few,
   loops and index scans are slower by orders, and sums of numeric, hundreds of bytes each, do
   not fit in a hash, unless a model's meta says that they are few or small (`fits_in_hash`). What
   reads dirty days alone (`reads`) reads few rows, but must not loop over them where a customer
   may have many (`loops`).
   What a crash takes before dbt is done is built again. #}
{% macro planned_for_whole_tables() -%}
    {{ return(adapter.dispatch('planned_for_whole_tables')()) }}
{%- endmacro %}

{% macro default__planned_for_whole_tables() -%}{%- endmacro %}

{% macro postgres__planned_for_whole_tables() -%}
    {%- set meta = config.get('meta', {}) -%}
    {%- set reads_few = meta.reads == 'dirty days' and builds_only_dirty_days() -%}
    {%- for setting in [
        'enable_nestloop', 'enable_indexscan', 'enable_hashagg', 'synchronous_commit'
    ] if (setting == 'enable_nestloop' and meta.loops == false) or not (
        reads_few or setting == 'enable_hashagg' and meta.fits_in_hash
    ) %}
    set local {{ setting }} = off;
    {%- endfor %}
{%- endmacro %}

{# For a statement of a hook that joins what may be few rows or many. #}
{% macro planned_without_loops() -%}
    {{ return(adapter.dispatch('planned_without_loops')()) }}
{%- endmacro %}

{% macro default__planned_without_loops() -%}select 1{%- endmacro %}

{% macro postgres__planned_without_loops() -%}set local enable_nestloop = off{%- endmacro %}

{# The key of its rows, statistics, and what a reader sees beside the table and its columns. #}
{% macro finish(target, model) -%}
    {{ return(adapter.dispatch('finish')(target, model)) }}
{%- endmacro %}

{% macro default__finish(target, model) -%}
    {%- set key = key_held_by_itself(model) -%}
    {%- set faults = run_query(test_unique_combination(target, key)).rows if key else [] -%}
    {%- if faults -%}
        {%- do exceptions.raise_compiler_error(
            'source ' ~ var('source') ~ ', model ' ~ model.name ~ ': the key ('
            ~ key | join(', ') ~ ') = (' ~ faults[0].values() | join(', ')
            ~ ') is there twice or empty; see ' ~ model.original_file_path
        ) -%}
    {%- endif -%}
    {%- call statement('statistics') -%}{{ gather_statistics(target) }}{%- endcall -%}
    {%- do persist_docs(target, model) -%}
{%- endmacro %}

{# In one call. dbt's own persist_docs first asks the database which columns there are; here
   the contract has compared them. A sample of 6,000 rows tells what joins need. What is made
   anew each night is gone before a vacuum of it is of use to anybody. #}
{% macro postgres__finish(target, model) -%}
    {%- set key = key_held_by_itself(model) -%}
    {%- set commands -%}
        {%- if key %}
        alter table {{ target }} add primary key ({{ key | join(', ') }});
        {%- endif %}
        {%- if config.get('materialized') in ('table', 'touched') %}
        alter table {{ target }} set (autovacuum_enabled = false);
        {%- endif %}
        set local default_statistics_target = 20;
        {{ gather_statistics(target) }};
        {%- if config.persist_relation_docs() %}
        comment on table {{ target }} is {{ postgres_escape_comment(model.description) }};
        {%- endif %}
        {%- for name, column in model.columns.items() if config.persist_column_docs() %}
        comment on column {{ target }}.{{ adapter.quote(name) }}
        is {{ postgres_escape_comment(column.description) }};
        {%- endfor %}
    {%- endset -%}
    {%- do adapter.add_query(commands) -%}
{%- endmacro %}

{# Columns that no two rows share and that are never empty: a table's meta says which, what
   BI reads in meta.publish; none if something else holds them (key_held_by). #}
{% macro key_held_by_itself(model) -%}
    {%- set meta = model.config.meta -%}
    {%- if not meta.key_held_by -%}
        {{ return(meta.key or (meta.publish or {}).key) }}
    {%- endif -%}
{%- endmacro %}
