with

changes as (

    select * from {{ ref('tier_change') }}

),

owners as (

    select * from {{ ref('stg_crm__owners') }}

),

reachable as (

    select *
    from owners
    where
        is_active
        and owner_email is not null

),

owner_items as (

    select
        changes.*,
        'owner_digest' as kind,
        reachable.owner_id as recipient_id,
        reachable.owner_name as recipient_name,
        reachable.owner_email as recipient_email,
        reachable.locale,
        reachable.owner_name

    from changes

    inner join reachable
        on changes.owner_id = reachable.owner_id

),

manager_items as (

    select
        changes.*,
        'manager_digest' as kind,
        reachable.owner_id as recipient_id,
        reachable.owner_name as recipient_name,
        reachable.owner_email as recipient_email,
        reachable.locale,
        owners.owner_name

    from changes

    inner join owners
        on changes.owner_id = owners.owner_id

    inner join reachable
        on
            owners.manager_id = reachable.owner_id
            and owners.owner_id <> reachable.owner_id

),

items as (

    select
        kind,
        recipient_id,
        recipient_name,
        recipient_email,
        locale,
        owner_name,
        business_date,
        customer_id,
        customer_name,
        owner_id,
        from_tier,
        to_tier,
        direction,
        cause,
        reason_code,
        main_driver,
        main_driver_change,
        contribution_12m_before,
        contribution_12m,
        contribution_12m_change,
        loyalty_index_before,
        loyalty_index,
        score_rank_before,
        score_rank,
        customers_ranked,
        policy_id,
        tier_score

    from owner_items

    union all

    select
        kind,
        recipient_id,
        recipient_name,
        recipient_email,
        locale,
        owner_name,
        business_date,
        customer_id,
        customer_name,
        owner_id,
        from_tier,
        to_tier,
        direction,
        cause,
        reason_code,
        main_driver,
        main_driver_change,
        contribution_12m_before,
        contribution_12m,
        contribution_12m_change,
        loyalty_index_before,
        loyalty_index,
        score_rank_before,
        score_rank,
        customers_ranked,
        policy_id,
        tier_score

    from manager_items

)

select * from items
