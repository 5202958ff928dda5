with
match_evidence as (
    select
        pair_kind,
        record_id,
        customer_id,
        evidence,
        value as evidence_value
    from {{ source('ops', 'match_evidence') }}
)

select * from match_evidence
