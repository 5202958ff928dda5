-- {{ source('bi', 'customer_identity_history') }} and {{ source('bi', 'publication') }}
with recursive

decisions as (select * from {{ ref('stg_ops__identity_decisions') }}),

identities as (
    {{ published_or_empty('customer_identity_history', {
        'source_system': 'text',
        'record_id': 'text',
        'customer_id': 'text',
        'run_id': 'text',
    }) }}
),

publications as (
    {{ published_or_empty('publication', {
        'run_id': 'text',
        'business_date': 'date',
        'status': 'text',
    }) }}
),

latest as (
    select
        customer_id,
        max(decision_id) as decision_id
    from decisions
    where kind in ('merge', 'split')
    group by customer_id
),

renumbered as (
    select
        decisions.customer_id as former_customer_id,
        decisions.into_customer_id
    from decisions
    inner join latest on decisions.decision_id = latest.decision_id
    where decisions.is_renumbering
),

{# A number may itself be replaced by a later one. #}
chain as (
    select
        former_customer_id,
        into_customer_id,
        into_customer_id as customer_id
    from renumbered

    union

    select
        chain.former_customer_id,
        chain.into_customer_id,
        renumbered.into_customer_id as customer_id
    from chain
    inner join renumbered on chain.customer_id = renumbered.former_customer_id
),

{# The first published night that took both numbers for one. #}
taken_over as (
    select
        identities.record_id,
        identities.customer_id,
        min(publications.business_date) as taken_over_on
    from identities
    inner join publications on identities.run_id = publications.run_id
    where
        identities.source_system = 'erp'
        and publications.status = 'published'
        and publications.business_date < {{ business_date() }}
    group by identities.record_id, identities.customer_id
)

select
    chain.former_customer_id,
    chain.into_customer_id,
    chain.customer_id,
    coalesce(taken_over.taken_over_on, cast('9999-12-31' as date)) as taken_over_on
from chain
left join renumbered as further on chain.customer_id = further.former_customer_id
left join taken_over
    on
        chain.former_customer_id = taken_over.record_id
        and chain.into_customer_id = taken_over.customer_id
where further.former_customer_id is null
