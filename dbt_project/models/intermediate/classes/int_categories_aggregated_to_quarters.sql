{{ config(materialized='incremental') }}
{%- set columns = ['day', 'posted_day', 'product_id', 'currency', 'cost_currency'] -%}
{%- for line in lines_of_goods() %}{% do columns.append('document_' ~ line) %}{% endfor -%}
{%- set touched_days = ref('int_product_days_touched') -%}
{%- set all_days = ref('fct_product_days') -%}
{%- set customers = ref('int_customers_resolved') -%}
with
{# When another month is over, all customers change, and those touched are not all. #}
product_days as (
    {% if follows_changes() -%}
        select * from {{ touched_days }}
    {%- else -%}
        select
            customers.survivor_id as customer_id,
            customers.is_internal,
            {{ listed(columns, 'all_days') }}
        from {{ all_days }} as all_days
        inner join {{ customers }} as customers on all_days.customer_id = customers.customer_id
    {%- endif %}
),

products as (select * from {{ ref('stg_erp__products') }}),

placed as (
    select
        product_days.*,
        coalesce(products.product_category, 'none') as product_category,
        {{ quarter_of('product_days.day') }} as which
    from product_days
    left join products on product_days.product_id = products.product_id
    where
        product_days.day >= {{ quarter_start(1) }}
        and product_days.day < {{ quarter_end() }}
        and product_days.posted_day <= {{ business_date() }}
        and not product_days.is_internal
),

summed as (
    select
        {% for line in lines_of_goods() -%}
            sum(document_{{ line }}) as document_{{ line }},
        {% endfor -%}
        customer_id,
        product_category,
        which,
        currency,
        cost_currency
    from placed
    where which is not null
    group by customer_id, product_category, which, currency, cost_currency
)

select * from summed
