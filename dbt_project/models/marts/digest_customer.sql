with
items as (
    select distinct customer_id
    from {{ ref('digest_item') }}
),

decisions as (select * from {{ ref('tier_decision') }}),
remembered as (select * from {{ ref('stg_bi__tier_decisions') }}),
ladder as (select * from {{ ref('int_ladders_in_force') }}),

warnings as (
    select *
    from {{ ref('early_warning') }}
    where signal = 'owner_change'
),

owners as (select * from {{ ref('stg_crm__owners') }}),
accounts as (select * from {{ ref('int_accounts_matched') }}),
activities as (select * from {{ ref('stg_crm__activities') }}),

contacts as (
    select
        items.customer_id,
        activities.activity_kind,
        activities.took_place_date,
        row_number() over (
            partition by
                items.customer_id,
                case when activities.took_place_date > {{ business_date() }} then 1 else 0 end
            order by activities.took_place_at, activities.activity_id
        ) as place
    from items
    inner join accounts on items.customer_id = accounts.customer_id
    inner join activities on accounts.account_id = activities.account_id
),

{# What is dated after the business date is planned. #}
meetings as (
    select
        customer_id,
        max(case
            when took_place_date <= {{ business_date() }} then took_place_date
        end) as last_contact_date,
        max(case
            when took_place_date > {{ business_date() }} and place = 1 then took_place_date
        end) as next_contact_date,
        max(case
            when took_place_date > {{ business_date() }} and place = 1 then activity_kind
        end) as next_contact_kind
    from contacts
    group by customer_id
),

joined as (
    select
        {{ business_date() }} as business_date,
        items.customer_id,
        decisions.tier,
        decisions.tier_since,
        decisions.contribution_12m,
        remembered.tier as tier_before,
        remembered.tier_since as tier_before_since,
        ladder.tier as next_better_tier,
        meetings.last_contact_date,
        meetings.next_contact_date,
        meetings.next_contact_kind,
        owners.owner_name as new_contact_name
    from items
    left join decisions on items.customer_id = decisions.customer_id
    left join remembered on items.customer_id = remembered.customer_id
    left join ladder
        on
            decisions.policy_id = ladder.policy_id
            and decisions.tier_rank - 1 = ladder.tier_rank
    left join meetings on items.customer_id = meetings.customer_id
    left join warnings on items.customer_id = warnings.customer_id
    left join owners on warnings.subject = owners.owner_id
)

select * from joined
