{#- A replay walks from night to night; an ordinary night is one step. -#}
{%- set rank_by_name -%}
    case
            when remembered.computed_tier is null then remembered.tier_rank
            else ladders.tier_rank
        end
{%- endset -%}
with {{ 'recursive' if is_replay() }}

judged as (select * from {{ ref('int_tiers_judged') }}),
remembered as (select * from {{ ref('int_tiers_remembered') }}),
ladders as (select * from {{ ref('int_ladders_in_force') }}),

{# The first night, and customers that come in later; what was published before counts, also
   later on for those that a merge had taken before. #}
started as (
    select
        judged.*,
        {% for column in state_columns() if column != 'tier_rank' -%}
            remembered.{{ column }} as before_{{ column }},
        {% endfor -%}
        {# A tier is known by its name: on another ladder it may stand elsewhere, or not at all. #}
        {{ rank_by_name }} as before_tier_rank,
        {{ starts_over('judged', 'remembered', 'remembered.is_paused', rank_by_name) }}
            as starts_over
    from judged
    left join remembered
        on
            case judged.role when 'before' then 'leading' else judged.role end = remembered.role
            and judged.customer_id = remembered.customer_id
            and (judged.role <> 'beside' or judged.policy_id = remembered.policy_id)
            and (judged.night_number = 1 or (remembered.is_paused and judged.is_merged))
    left join ladders
        on
            judged.policy_id = ladders.policy_id
            and judged.business_date = ladders.business_date
            and remembered.computed_tier = ladders.tier
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
