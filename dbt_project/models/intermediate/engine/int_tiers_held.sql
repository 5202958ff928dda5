{#- A replay walks from night to night; an ordinary night is one step. -#}
with {{ 'recursive' if is_replay() }}

judged as (select * from {{ ref('int_tiers_judged') }}),
remembered as (select * from {{ ref('int_tiers_remembered') }}),

{# The first night, and customers that come in later; what was published before counts, also
   later on for those that a merge had taken before. #}
started as (
    select
        judged.*,
        {% for column in state_columns() -%}
            remembered.{{ column }} as before_{{ column }},
        {% endfor -%}
        {{ starts_over('judged', 'remembered', 'remembered.is_paused') }} as starts_over
    from judged
    left join remembered
        on
            judged.role = remembered.role
            and judged.customer_id = remembered.customer_id
            and (judged.role = 'leading' or judged.policy_id = remembered.policy_id)
            and (judged.night_number = 1 or (remembered.is_paused and judged.is_merged))
    where judged.night_number_before is null
),

held as (
    {{ hold_tiers('select * from started') }}
    {%- if is_replay() %}

        union all

        {{ hold_tiers(next_night()) }}
    {%- endif %}
)

select * from held
