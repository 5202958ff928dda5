{%- set costs = {
    'cost_to_serve': 'cost_to_serve',
    'financing': 'receivable_financing_cost',
    'bad_debt': 'bad_debt_cost',
} -%}
{%- set effects = [
    'sales_effect', 'discount_effect', 'returns_effect', 'cost_effect', 'freight_effect'
] -%}
with
months as (select * from {{ ref('customer_contribution') }}),
categories as (select * from {{ ref('int_categories_bridged') }}),

placed as (
    select
        *,
        {{ quarter_of('month_start_date') }} as which
    from months
    where
        month_start_date >= {{ quarter_start(1) }}
        and month_start_date < {{ quarter_end() }}
),

quarters as (
    select
        {% for quarter in ['now', 'before'] -%}
            {% for name, column in dict(costs, contribution='contribution').items() -%}
                coalesce(sum(case when which = '{{ quarter }}' then {{ column }} end), 0)
                    as {{ name }}_{{ quarter }},
            {% endfor -%}
        {% endfor -%}
        customer_id
    from placed
    where which is not null
    group by customer_id
),

terms as (
    select
        {% for effect in effects -%}
            {{ effect }},
        {% endfor -%}
        customer_id,
        'goods' as bridge_term,
        product_category,
        amount_before,
        amount_now
    from categories
    {% for term in costs %}
        union all

        select
            {% for effect in effects -%}
                cast(null as numeric(24, 6)) as {{ effect }},
            {% endfor -%}
            customer_id,
            '{{ term }}' as bridge_term,
            'all' as product_category,
            -{{ term }}_before as amount_before,
            -{{ term }}_now as amount_now
        from quarters
    {% endfor %}
),

explained as (
    select
        customer_id,
        sum(amount_before) as amount_before,
        sum(amount_now) as amount_now
    from terms
    group by customer_id
),

{# What the P&L, at the rates of its days, says beyond them; without it nothing adds up. #}
with_rates as (
    select *
    from terms

    union all

    select
        {% for effect in effects -%}
            cast(null as numeric(24, 6)) as {{ effect }},
        {% endfor -%}
        explained.customer_id,
        'fx' as bridge_term,
        'all' as product_category,
        coalesce(quarters.contribution_before, 0) - explained.amount_before as amount_before,
        coalesce(quarters.contribution_now, 0) - explained.amount_now as amount_now
    from explained
    left join quarters on explained.customer_id = quarters.customer_id
),

dated as (
    select
        customer_id,
        bridge_term,
        product_category,
        {{ quarter_start() }} as quarter_from,
        {{ days_after(-1, quarter_end()) }} as quarter_until,
        {{ quarter_start(1) }} as before_from,
        {{ days_after(-1, quarter_end(1)) }} as before_until,
        cast(amount_before as numeric(24, 6)) as amount_before,
        cast(amount_now as numeric(24, 6)) as amount_now,
        cast(amount_now - amount_before as numeric(24, 6)) as amount_change,
        {{ effects | join(',\n        ') }}
    from with_rates
    where
        amount_before <> 0
        or amount_now <> 0
)

select * from dated
