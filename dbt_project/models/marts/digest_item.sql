with

{# Rates are nobody's doing: a change that they alone made is published, not mailed. #}
changes as (

    select *
    from {{ ref('tier_change') }}
    where cause <> 'fx'

),

owners as (

    select * from {{ ref('stg_crm__owners') }}

),

recipients as (

    select
        owner_id,
        owner_name,
        owner_id as recipient_id,
        'owner_digest' as kind

    from owners

    union all

    select
        owner_id,
        owner_name,
        manager_id as recipient_id,
        'manager_digest' as kind

    from owners
    where manager_id <> owner_id

),

items as (

    select
        recipients.kind,
        recipients.recipient_id,
        reachable.owner_name as recipient_name,
        reachable.owner_email as recipient_email,
        reachable.locale,
        recipients.owner_name,
        changes.business_date,
        changes.customer_id,
        changes.customer_name,
        changes.owner_id,
        changes.from_tier,
        changes.to_tier,
        changes.direction,
        changes.cause,
        changes.reason_code,
        changes.main_driver,
        changes.main_driver_change,
        changes.contribution_12m_before,
        changes.contribution_12m,
        changes.contribution_12m_change,
        changes.loyalty_index_before,
        changes.loyalty_index,
        changes.score_rank_before,
        changes.score_rank,
        changes.customers_ranked,
        changes.policy_id,
        changes.tier_score

    from changes

    inner join recipients
        on changes.owner_id = recipients.owner_id

    inner join owners as reachable
        on recipients.recipient_id = reachable.owner_id

    where
        reachable.is_active
        and reachable.owner_email is not null

)

select * from items
