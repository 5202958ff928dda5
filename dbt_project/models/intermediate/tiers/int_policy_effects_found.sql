{#- Whose change, or waiting change, comes from an edit of the policy's rows: tonight judged by
    the rows of the night before would not want it. -#}
{%- set measuring = "'loyalty_weights', 'risk_rules'" -%}
{%- set costing = "'cost_rates', 'financing_rates', 'activity_rules'" -%}
{%- set of_goods = [
    'volume', 'price', 'discount', 'cost', 'mix', 'returns', 'freight'
] -%}
with
decisions as (
    select * from {{ ref('int_tiers_decided') }}
    where role = 'leading'
),

by_rows_before as (
    select * from {{ ref('int_tiers_decided') }}
    where role = 'before'
),

versions as (
    select * from {{ ref('int_policies_versioned') }}
    where role = 'leading'
),

remembered as (select * from {{ ref('stg_bi__tier_decisions') }}),
waterfalls as (select * from {{ ref('int_waterfalls_built') }}),

{# Rows that measure the customers are not applied twice: tonight is measured once. #}
edits as (
    select
        count(case
            when seed in ({{ measuring }}) or is_measuring then 1
        end) > 0 as is_measured_anew,
        count(case when seed in ({{ costing }}) then 1 end) > 0
            as is_costed_anew
    from {{ ref('int_policy_rows_compared') }}
),

{# Which way a tier goes or waits to go; `other` where it is given without a way. #}
moved as (
    select
        decisions.customer_id,
        decisions.policy_id,
        versions.policy_version,
        versions.is_edited and decisions.policy_id = remembered.policy_id as is_edited,
        remembered.pending_direction as before_way,
        remembered.rule as before_rule,
        coalesce(remembered.is_by_policy, false) as was_by_policy,
        coalesce(
            decisions.wanted_direction,
            case when decisions.computed_tier <> remembered.computed_tier then 'other' end
        ) as way,
        coalesce(
            by_rows_before.wanted_direction,
            case
                when by_rows_before.computed_tier <> remembered.computed_tier then 'other'
            end
        ) as way_by_rows_before,
        remembered.contribution_12m as contribution_12m_before,
        {% for effect in of_goods -%}
            coalesce(waterfalls.{{ effect }}_effect, 0) {{- ' +' if not loop.last }}
        {% endfor -%}
            as change_by_goods
    from decisions
    inner join versions on decisions.policy_id = versions.policy_id
    left join remembered on decisions.customer_id = remembered.customer_id
    left join by_rows_before on decisions.customer_id = by_rows_before.customer_id
    left join waterfalls on decisions.customer_id = waterfalls.customer_id
),

metrics as (select * from {{ ref('int_metrics_gathered') }}),

found as (
    select
        moved.customer_id,
        moved.policy_version,
        case
            when moved.way is null then false
            when moved.is_edited and moved.way_by_rows_before is null then true
            when moved.is_edited and moved.way <> moved.way_by_rows_before then true
            when moved.is_edited and edits.is_measured_anew then true
            when
                moved.is_edited
                and edits.is_costed_anew
                and not coalesce(
                    2 * abs(moved.change_by_goods)
                    > abs(metrics.contribution_12m - moved.contribution_12m_before)
                    and moved.change_by_goods
                    * case moved.way when 'down' then -1 else 1 end > 0,
                    false
                )
                then true
            when
                moved.was_by_policy
                and (
                    moved.way = moved.before_way
                    or (moved.way = 'down' and moved.before_rule = 'stepped_down')
                )
                then true
            else false
        end as is_by_policy
    from moved
    cross join edits
    inner join metrics on moved.customer_id = metrics.customer_id
)

select * from found
