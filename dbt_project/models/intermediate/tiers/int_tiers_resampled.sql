with
amounts as (
    select amounts.*
    from {{ ref('int_amounts_measured') }} as amounts
    inner join {{ ref('int_policies_in_force') }} as policies
        on amounts.policy_id = policies.policy_id
    where policies.role = 'leading'
),

policies as (select * from {{ ref('int_policies_dated') }}),
resampled as (select * from {{ ref('int_contributions_resampled') }}),

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
        {{ samples_that_stay('resampled') }} as samples_in_tier
    from amounts
    inner join policies on amounts.policy_id = policies.policy_id
    left join resampled on amounts.customer_id = resampled.customer_id
    left join warned on amounts.customer_id = warned.customer_id
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
            else cast(1.0 * samples_in_tier / {{ 2 * half_samples() | length }} as numeric(5, 4))
        end as tier_confidence
    from counted
)

select
    *,
    coalesce(tier_confidence < borderline_below, false) as is_borderline
from measured
