with
tier_overrides as (
    select
        customer_id,
        tier,
        valid_from,
        valid_until,
        reason,
        approver
    from {{ source('ops', 'tier_override') }}
)

select * from tier_overrides
