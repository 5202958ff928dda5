with
profiles as (select * from {{ ref('int_profiles_described') }}),

identities as (
    select * from {{ ref('customer_identity') }}
    where
        source_system = 'erp'
        and record_id = customer_id
),

groups as (select * from {{ ref('int_groups_resolved') }}),
tiers as (select * from {{ ref('customer_tier') }}),
classes as (select * from {{ ref('customer_class') }}),
loyalties as (select * from {{ ref('customer_loyalty') }}),
preferences as (select * from {{ ref('int_preferences_measured') }}),
needs as (select * from {{ ref('int_needs_found') }}),
warnings as (
    select
        customer_id,
        count(distinct signal) as signals,
        max(amount_at_risk) as amount_at_risk
    from {{ ref('early_warning') }}
    where signal in ({{ poaching_signals() | join(', ') }})
    group by customer_id
),

{# What a unit of yearly contribution is worth: each year a share of the customers stays, as
   many as did last year, and a year's wait costs interest. #}
kept as (
    select 1.0 * sum(kept_customers) / nullif(sum(opening_customers), 0) as kept_share
    from {{ ref('customer_rollforward') }}
),

rates as (
    {{ rows_of_source(ref('financing_rates'), ['valid_from', 'annual_rate']) }}
),

interest as (
    {{ rows_in_force('rates') }}
),

worth as (
    select
        {% for year in range(1, asset_years() + 1) -%}
            power(kept.kept_share / (1 + interest.annual_rate), {{ year }})
            {{- ' +' if not loop.last }}
        {% endfor -%}
            as years
    from kept
    cross join interest
),

{# Who may rise: potential, the more the nearer the bound. Who may be lured away: who earns
   much and shows signs of it. #}
scored as (
    select
        tiers.customer_id,
        warnings.amount_at_risk,
        cast(
            classes.potential_score * tiers.net_revenue_12m
            / nullif(tiers.net_revenue_12m + tiers.amount_to_rise, 0) as numeric(7, 4)
        ) as riser_score,
        case
            when classes.abc_class = 'A' and warnings.signals > 0
                then cast(
                    100.0 * warnings.signals / {{ poaching_signals() | length }}
                    as numeric(7, 4)
                )
        end as poached_score
    from tiers
    inner join classes on tiers.customer_id = classes.customer_id
    left join warnings on tiers.customer_id = warnings.customer_id
),

listed as (
    select
        customer_id,
        riser_score,
        poached_score,
        case
            when riser_score is not null
                then cast(rank() over (order by riser_score desc nulls last) as integer)
        end as riser_place,
        case
            when poached_score is not null
                then cast(
                    rank() over (order by poached_score desc nulls last, amount_at_risk desc)
                    as integer
                )
        end as poached_place
    from scored
),

confidences as (select * from {{ ref('int_confidences_measured') }}),

joined as (
    select
        {{ business_date() }} as business_date,
        profiles.customer_id,
        identities.customer_key,
        profiles.customer_name,
        profiles.status,
        profiles.tax_id,
        profiles.address,
        profiles.postal_code,
        profiles.city,
        profiles.region,
        profiles.country,
        profiles.phone,
        profiles.web_domain,
        profiles.industry,
        classes.industry_code,
        profiles.owner_id,
        profiles.owner_name,
        profiles.crm_accounts,
        profiles.is_strategic,
        groups.group_id,
        cast(groups.group_customers as integer) as group_customers,
        profiles.customer_since_date,
        profiles.payment_terms_days,
        loyalties.first_sale_date,
        loyalties.last_sale_date,
        loyalties.orders,
        classes.orders_12m,
        tiers.tier,
        tiers.tier_since,
        tiers.previous_tier,
        tiers.net_revenue_12m,
        tiers.contribution_12m,
        tiers.contribution_12m_change,
        cast(tiers.net_revenue_12m / nullif(classes.orders_12m, 0) as numeric(24, 6))
            as revenue_per_order,
        loyalties.loyalty_index,
        classes.behaviour_segment,
        tiers.risk_flag,
        coalesce(preferences.contacts_12m, 0) as contacts_12m,
        preferences.last_contact_date,
        preferences.preferred_channel,
        preferences.preferred_contact,
        classes.top_category,
        classes.categories_12m,
        profiles.annual_potential,
        classes.headroom,
        classes.potential_class,
        classes.value_potential_cell,
        classes.action,
        cast(tiers.contribution_12m * worth.years as numeric(24, 6)) as customer_asset_value,
        listed.riser_score,
        listed.riser_place,
        listed.poached_score,
        listed.poached_place,
        needs.likely_need,
        needs.likely_need_share,
        profiles.completeness,
        profiles.missing_facts,
        profiles.identity_confidence,
        confidences.quarantined_lines,
        confidences.data_confidence
    from profiles
    left join worth on true
    left join identities on profiles.customer_id = identities.customer_id
    left join groups on profiles.customer_id = groups.customer_id
    left join tiers on profiles.customer_id = tiers.customer_id
    left join classes on profiles.customer_id = classes.customer_id
    left join loyalties on profiles.customer_id = loyalties.customer_id
    left join preferences on profiles.customer_id = preferences.customer_id
    left join listed on profiles.customer_id = listed.customer_id
    left join needs on profiles.customer_id = needs.customer_id
    left join confidences on profiles.customer_id = confidences.customer_id
)

select * from joined
