{# `view` and `table` as a night needs them: dropped and made anew in one transaction, the audit
   and the publication being the first to read them. dbt's own dance of three names, which keeps a
   reader of the old relation undisturbed, renders eight statements more for each model. #}
{% materialization view, default -%}
    {{ return(made_anew(this.incorporate(type='view'))) }}
{%- endmaterialization %}

{% materialization table, default -%}
    {{ return(made_anew(this.incorporate(type='table'))) }}
{%- endmaterialization %}

{% macro made_anew(target) -%}
    {%- set existing = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- call statement('main') -%}
        {{ drop_first(existing) if existing is not none }}
        {%- if target.is_view -%}
            {{ get_create_view_as_sql(target, sql) }}
        {%- else -%}
            {{ get_create_table_as_sql(False, target, sql) }}
        {%- endif -%}
    {%- endcall -%}
    {%- if not target.is_view -%}{%- do create_indexes(target) -%}{%- endif -%}
    {%- if target.is_table -%}
        {%- do adapter.add_query(
            gather_statistics(target) ~ ';'
            ~ (describe(target, model) if config.persist_relation_docs() else '')
        ) -%}
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

{# What a reader sees beside the table and its columns. dbt's own macro first asks the database
   which columns there are; here the contract has compared them. #}
{% macro describe(target, model) -%}
    {{ return(adapter.dispatch('describe')(target, model)) }}
{%- endmacro %}

{% macro default__describe(target, model) -%}
    {%- do persist_docs(target, model) -%}
    select 1
{%- endmacro %}

{% macro postgres__describe(target, model) -%}
    comment on {{ target.type }} {{ target }} is {{ postgres_escape_comment(model.description) }};
    {%- for name, column in model.columns.items() %}
    comment on column {{ target }}.{{ adapter.quote(name) }}
    is {{ postgres_escape_comment(column.description) }};
    {%- endfor %}
{%- endmacro %}
