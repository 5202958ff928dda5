{%- set samples = half_samples() | length -%}
with

amounts as (

    select amounts.*
    from {{ ref('int_amounts_measured') }} as amounts

    inner join {{ ref('int_policies_in_force') }} as policies
        on amounts.policy_id = policies.policy_id

    where policies.role = 'leading'

),

policies as (

    select * from {{ ref('tier_policies') }}

),

resampled as (

    select * from {{ ref('int_contributions_resampled') }}

),

{# The same euro may be in danger for several reasons, so the largest amount counts. #}
warned as (

    select
        customer_id,
        max(amount_at_risk) as amount_at_risk

    from {{ ref('int_warnings_raised') }}
    group by customer_id

),

{# Each half-sample and the one of the other months, which is as much less as it is more. #}
counted as (

    select
        amounts.*,
        coalesce(warned.amount_at_risk, 0) as amount_at_risk,
        policies.borderline_below,
        {%- for number in range(1, samples + 1) %}
        {%- set change = 'coalesce(resampled.change_' ~ number ~ ', 0)' %}
        {{ stays_with(change) }}
        + {{ stays_with('-' ~ change) }}
        {{- ' +' if not loop.last else ' as samples_in_tier' }}
        {%- endfor %}

    from amounts

    inner join policies
        on amounts.policy_id = policies.policy_id

    left join resampled
        on amounts.customer_id = resampled.customer_id

    left join warned
        on amounts.customer_id = warned.customer_id

),

measured as (

    select
        customer_id,
        amount_to_rise,
        amount_to_rise_note,
        amount_to_keep,
        amount_to_keep_note,
        amount_at_risk,
        borderline_below,
        case
            when amount_to_rise_note in ('new', 'small_population') then null
            when amount_to_keep_note = 'beyond_money' then 0
            else samples_in_tier / cast({{ 2 * samples }} as numeric(7, 4))
        end as tier_confidence

    from counted

)

select
    *,
    coalesce(tier_confidence < borderline_below, false) as is_borderline
from measured
