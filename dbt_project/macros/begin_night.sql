{# Runs before the models of a night; `dbt test` and the like change nothing. #}
{% macro begin_night() -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- do refuse_another_base_currency() -%}
        {%- if 'model.customer_tiers.fct_sales_days' in selected_resources -%}
            {{ drop_facts_that_cannot_be_trusted() }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro fact_relation(name) -%}
    {{ return(adapter.get_relation(
        database=target.database, schema=target.schema, identifier=name
    )) }}
{%- endmacro %}


{# Nights in two currencies cannot be compared, and mails would call the difference a
   change. Before the first published night a wrong currency can still be put right. #}
{% macro refuse_another_base_currency() -%}
    {%- set publication = adapter.get_relation(
        database=target.database, schema='bi', identifier='publication'
    ) -%}
    {%- if publication -%}
        {%- set published = run_query(
            "select max(base_currency) as base_currency from " ~ publication
            ~ " where status = 'published' and base_currency <> '"
            ~ var('base_currency') ~ "'"
        ).columns[0].values()[0] -%}
        {%- if published -%}
            {%- do exceptions.raise_compiler_error(
                'source ' ~ var('source') ~ ': base_currency is now '
                ~ var('base_currency') ~ ', but the nights published so far are in '
                ~ published ~ '; put base_currency: ' ~ published
                ~ ' back into source.yml, or start a new warehouse'
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{# Facts can be continued if all are there with the prices they were valued with, in
   the same base currency, by the same rules and roundings. A first night that failed leaves less; then all are built
   anew. The hook runs outside of a transaction of dbt, hence its own commit. #}
{% macro drop_facts_that_cannot_be_trusted() -%}
    {%- set names = [
        'fct_sales_days', 'fct_product_days', 'int_prices_remembered', 'int_days_rebuilt'
    ] -%}
    {%- set relations = [] -%}
    {%- for name in names if fact_relation(name) -%}
        {%- do relations.append(fact_relation(name)) -%}
    {%- endfor -%}
    {%- if relations and not (
        relations | length == names | length and can_facts_be_continued()
    ) -%}
        {%- for relation in relations -%}
            {%- do adapter.drop_relation(relation) -%}
        {%- endfor -%}
        commit
    {%- endif -%}
{%- endmacro %}


{% macro can_facts_be_continued() -%}
    {%- set remembered = run_query(
        "select count(*) as remembered from " ~ fact_relation('int_prices_remembered')
        ~ " where price_kind = 'base_currency' and key_id = '"
        ~ var('base_currency') ~ "' and price = '" ~ version_of_facts() ~ "'"
    ).columns[0].values()[0] -%}
    {{ return(remembered == 1) }}
{%- endmacro %}


{# Another number for another rule: facts that were built by the old one are built anew. #}
{% macro version_of_facts() -%}
    {{ return('5, rounded by ' ~ var('rounding')) }}
{%- endmacro %}
