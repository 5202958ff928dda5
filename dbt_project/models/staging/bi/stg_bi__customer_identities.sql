{#- A number that takes the place of another tonight is no merger of two customers. -#}
-- {{ source('bi', 'customer_identity_history') }} and {{ source('bi', 'publication') }}
with
identities as (
    {{ published_or_empty('customer_identity_history', {
        'source_system': 'text',
        'record_id': 'text',
        'customer_id': 'text',
        'known_from': 'timestamp',
        'known_to': 'timestamp',
    }) }}
),

publications as (
    {{ published_or_empty('publication', {
        'business_date': 'date',
        'status': 'text',
        'published_at': 'timestamp',
    }) }}
),

published as (
    select *
    from publications
    where status = 'published'
),

{{ last_published_night('published') }},

moment as (select max(published_at) as published_at from last_night),

pending as (
    select *
    from {{ ref('stg_ops__renumberings') }}
    where taken_over_on >= {{ business_date() }}
),

{# What was known then, so that a night that is played again finds the same. #}
known as (
    select
        identities.source_system,
        identities.record_id,
        coalesce(pending.customer_id, identities.customer_id) as customer_id
    from identities
    inner join moment
        on
            identities.known_from <= moment.published_at
            and (identities.known_to is null or identities.known_to > moment.published_at)
    left join pending on identities.customer_id = pending.former_customer_id
    where identities.source_system = 'erp'
)

select * from known
