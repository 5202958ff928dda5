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
        'owner_digest' as kind,
        reachable.owner_id as recipient_id,
        reachable.owner_name as recipient_name,
        reachable.owner_email as recipient_email,
        reachable.locale,
        reachable.owner_name,
        changes.*

    from changes

    inner join reachable
        on changes.owner_id = reachable.owner_id

),

manager_items as (

    select
        'manager_digest' as kind,
        reachable.owner_id as recipient_id,
        reachable.owner_name as recipient_name,
        reachable.owner_email as recipient_email,
        reachable.locale,
        owners.owner_name,
        changes.*

    from changes

    inner join owners
        on changes.owner_id = owners.owner_id

    inner join reachable
        on
            owners.manager_id = reachable.owner_id
            and owners.owner_id <> reachable.owner_id

),

items as (

    select *
    from owner_items

    union all

    select *
    from manager_items

)

select * from items
