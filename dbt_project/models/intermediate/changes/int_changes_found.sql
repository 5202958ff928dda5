{%- set kinds = "'customer', 'internal', 'category'" -%}
{#- Where windows begin and end: what the night before counted up to there, and tonight does. -#}
{%- set edges = {
    'night': ('since_date', 'business_date'),
    'window': (months_before('window_months', 'since_date'), 'window_start_date'),
    'window_before': (
        months_before('2 * window_months', 'since_date'), 'window_before_start_date'
    ),
    'loyalty': (months_before('loyalty_months', 'since_date'), 'loyalty_start_date'),
    'compared_night': ('before_date', 'business_date'),
    'compared_window': (
        'least(before_start_date, window_start_date)',
        'greatest(before_start_date, window_start_date)'
    ),
    'quarter': (months_before(3, 'since_date'), months_before(3, 'business_date')),
    'year': (months_before(12, 'since_date'), months_before(12, 'business_date')),
    'season': (months_before(15, 'since_date'), months_before(15, 'business_date')),
} -%}
-- after {{ ref('int_inputs_remembered') }}, {{ ref('int_customers_resolved') }},
-- {{ ref('int_nights_compared') }} and {{ ref('int_days_rebuilt') }};
-- of {{ ref('fct_sales_days') }} and {{ ref('fct_product_days') }}
with
inputs as (select * from {{ ref('int_inputs_gathered') }}),
{% if not can_kept_tables_be_continued() -%}
    {# Nothing is kept, and nobody asks what has changed. #}
    found as (
        select
            key_id as customer_id,
            kind as change_kind,
            {{ business_date() }} as since_date
        from inputs
        where kind = 'none'
    )
{%- else -%}
    memory as (select * from {{ ref('int_inputs_remembered') }}),
    customers as (select * from {{ ref('int_customers_resolved') }}),

    edges as (
        select
            {% for name, (after, until) in edges.items() -%}
                {{ after }} as after_{{ name }},
                {{ until }} as until_{{ name }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ ref('int_nights_compared') }}
    ),

    {# Categories of products, and whom a number belongs to: now, and then. #}
    changed as (
        (
            select kind, key_id, input_value from inputs
            where kind in ({{ kinds }})
            except
            select kind, key_id, input_value from memory
        )
        union all
        (
            select kind, key_id, input_value from memory
            where kind in ({{ kinds }})
            except
            select kind, key_id, input_value from inputs
        )
    ),

    {# Numbers under which they buy. #}
    records as (
        select
            key_id as customer_id,
            kind as change_kind,
            cast(input_value as date) as since_date
        from memory
        where kind in ('sales', 'receivables')

        union all

        select
            key_id as customer_id,
            'identity' as change_kind,
            cast('0001-01-01' as date) as since_date
        from changed
        where kind in ('customer', 'internal')

        union all

        select
            product_days.customer_id,
            'category' as change_kind,
            min(product_days.day) as since_date
        from {{ ref('fct_product_days') }} as product_days
        inner join changed
            on
                changed.kind = 'category'
                and product_days.product_id = changed.key_id
        group by product_days.customer_id

        union all

        {# what compares their currencies moves with the rates #}
        select
            margins.customer_id,
            'rate' as change_kind,
            {{ business_date() }} as since_date
        from {{ fact_relation('int_margins_aggregated') }} as margins
        group by margins.customer_id
        having min(margins.currency) < max(margins.currency)

        union all

        select
            sales_days.customer_id,
            'window' as change_kind,
            sales_days.day as since_date
        from {{ ref('fct_sales_days') }} as sales_days
        inner join edges
            on
                {% for name in edges -%}
                    {{ 'or ' if not loop.first }}(
                        sales_days.day > edges.after_{{ name }}
                        and sales_days.day <= edges.until_{{ name }}
                    )
                {% endfor %}

        union all

        {# posted later than the day they count on #}
        select
            sales_days.customer_id,
            'sales' as change_kind,
            sales_days.day as since_date
        from {{ ref('fct_sales_days') }} as sales_days
        inner join edges
            on
                sales_days.posted_day > least(edges.after_night, edges.after_compared_night)
                and sales_days.posted_day <= edges.until_night
    ),

    survivors as (
        select
            records.change_kind,
            records.since_date,
            coalesce(customers.survivor_id, records.customer_id) as customer_id
        from records
        left join customers on records.customer_id = customers.customer_id

        union all

        {# also whom a number no longer belongs to #}
        select
            'identity' as change_kind,
            cast('0001-01-01' as date) as since_date,
            input_value as customer_id
        from changed
        where kind = 'customer'
    ),

    found as (
        select
            customer_id,
            change_kind,
            min(since_date) as since_date
        from survivors
        group by customer_id, change_kind
    )
{%- endif %}

select * from found
