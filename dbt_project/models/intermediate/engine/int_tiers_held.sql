{#- A replay walks from night to night; an ordinary night is one step. -#}
with {{ 'recursive' if is_replay() }}

judged as (select * from {{ ref('int_tiers_judged') }}),
remembered as (select * from {{ ref('int_tiers_remembered') }}),

{# The first night, and customers that come in later; what was published before counts. #}
started as (
    select
        judged.*,
        {% for column in state_columns() -%}
            remembered.{{ column }} as before_{{ column }},
        {% endfor -%}
        {{ starts_over('judged', 'remembered') }} as starts_over
    from judged
    left join remembered
        on
            judged.role = remembered.role
            and judged.customer_id = remembered.customer_id
            and (judged.role = 'leading' or judged.policy_id = remembered.policy_id)
            and judged.night_number = 1
    where judged.is_first_night
),

held as (
    {{ hold_tiers('select * from started') }}
    {%- if is_replay() %}

        union all

        {{ hold_tiers(next_night()) }}
    {%- endif %}
)

select * from held
