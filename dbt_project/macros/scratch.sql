{# A table that is dropped and made anew: two statements where dbt's `table` takes eight, to
   keep a reader of the old one undisturbed. Nobody reads intermediate models meanwhile. #}
{% materialization scratch, default -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- if existing is not none -%}
        {{ adapter.drop_relation(existing) }}
    {%- endif -%}

    {%- call statement('main') -%}
        {{ create_table_as(False, target, sql) }}
    {%- endcall -%}
    {%- do create_indexes(target) -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target]}) }}
{%- endmaterialization %}
