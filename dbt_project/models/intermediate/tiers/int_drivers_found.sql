with
changes as (
    select *
    from {{ ref('int_tiers_reasoned') }}
    where is_changed
),

drivers as (
    {% for driver, effect in waterfall_terms().items() -%}
        select
            customer_id,
            '{{ driver }}' as driver,
            {{ loop.index }} as driver_order,
            {{ effect }} as effect,
            contribution_12m_change
        from changes
        {% if not loop.last %}
            union all

        {% endif %}
    {%- endfor %}
),

{# A term that pulled the other way, or less than half a cent, does not explain where contribution
   went. #}
ranked as (
    select
        *,
        row_number() over (
            partition by customer_id
            order by abs(effect) desc, driver_order
        ) as driver_rank
    from drivers
    where
        effect * contribution_12m_change > 0
        and abs(effect) >= 0.005
),

found as (
    select
        customer_id,
        max(case when driver_rank = 1 then driver end) as main_driver,
        max(case when driver_rank = 1 then effect end) as main_driver_change,
        max(case when driver_rank = 2 then driver end) as second_driver,
        max(case when driver_rank = 2 then effect end) as second_driver_change
    from ranked
    group by customer_id
)

select * from found
