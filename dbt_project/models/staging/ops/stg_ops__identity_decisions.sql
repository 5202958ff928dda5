with
identity_decisions as (
    select
        decision_id,
        kind,
        account_id,
        customer_id,
        into_customer_id,
        is_renumbering,
        decided_by,
        decided_at
    from {{ source('ops', 'identity_decision') }}
    where undone_at is null
)

select * from identity_decisions
