{#- A line and what a unit of it does to contribution; the more specific wins a tie. -#}
{%- set drivers = [
    ('returns', -1), ('net_revenue', 1), ('cogs', -1), ('freight', -1),
    ('cost_to_serve', -1), ('financing', -1), ('bad_debt', -1)
] -%}
with

changes as (

    select *
    from {{ ref('int_tiers_reasoned') }}
    where is_changed

),

drivers as (

    {% for driver, effect in drivers -%}
        select
            customer_id,
            '{{ driver }}' as main_driver,
            {{ loop.index }} as driver_order,
            {{ driver }}_12m_change as main_driver_change,
            contribution_12m_change,
            {{ effect }} * {{ driver }}_12m_change as effect_on_contribution

        from changes
        {% if not loop.last %}
            union all

        {% endif %}
    {%- endfor %}

),

{# A line that pulled the other way does not explain where contribution went. #}
ranked as (

    select
        customer_id,
        main_driver,
        main_driver_change,
        row_number() over (
            partition by customer_id
            order by abs(main_driver_change) desc, driver_order
        ) as driver_rank

    from drivers
    where effect_on_contribution * contribution_12m_change > 0

),

main_drivers as (

    select
        customer_id,
        main_driver,
        main_driver_change

    from ranked
    where driver_rank = 1

)

select * from main_drivers
