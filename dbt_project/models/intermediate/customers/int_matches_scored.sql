with
evidence as (select * from {{ ref('stg_ops__match_evidence') }}),

weights as (
    {{ rows_in_force(ref('match_evidence')) }}
),

limits as (
    {{ rows_in_force(ref('match_limits')) }}
),

customers as (select * from {{ ref('int_customers_resolved') }}),
decisions as (select * from {{ ref('stg_ops__identity_decisions') }}),

{# What a person called another company is not proposed again. #}
refused as (
    select
        'account' as pair_kind,
        decisions.account_id as record_id,
        customers.survivor_id as customer_id
    from decisions
    inner join customers on decisions.customer_id = customers.customer_id
    where decisions.kind = 'reject'

    union all

    select
        'duplicate' as pair_kind,
        least(customer_id, into_customer_id) as record_id,
        greatest(customer_id, into_customer_id) as customer_id
    from decisions
    where kind = 'apart'

    union all

    select
        'renumbered' as pair_kind,
        customer_id as record_id,
        into_customer_id as customer_id
    from decisions
    where kind = 'apart'

    union all

    select
        'renumbered' as pair_kind,
        into_customer_id as record_id,
        customer_id
    from decisions
    where kind = 'apart'
),

weighed as (
    select
        evidence.pair_kind,
        evidence.record_id,
        evidence.customer_id,
        sum(weights.points) as points
    from evidence
    inner join weights
        on
            evidence.evidence = weights.evidence
            and evidence.evidence_value >= weights.from_value
            and (
                weights.below_value is null
                or evidence.evidence_value < weights.below_value
            )
    group by evidence.pair_kind, evidence.record_id, evidence.customer_id
),

{# Most pairs are neither a match, nor a question, nor so near that they make one. #}
likely as (
    select weighed.*
    from weighed
    inner join limits
        on weighed.points >= least(
            limits.review_points, limits.accept_points - limits.margin_points
        )
),

{# Records that were merged meanwhile are one candidate, and no duplicates any more. #}
survivors as (
    select
        likely.pair_kind,
        customers.survivor_id as customer_id,
        coalesce(other_customers.survivor_id, likely.record_id) as record_id,
        max(likely.points) as points
    from likely
    inner join customers on likely.customer_id = customers.customer_id
    left join customers as other_customers
        on
            likely.record_id = other_customers.customer_id
            and likely.pair_kind in ('duplicate', 'renumbered')
    where coalesce(other_customers.survivor_id, '') <> customers.survivor_id
    group by
        likely.pair_kind,
        customers.survivor_id,
        coalesce(other_customers.survivor_id, likely.record_id)
),

ranked as (
    select
        survivors.*,
        rank() over (
            partition by survivors.pair_kind, survivors.record_id
            order by survivors.points desc
        ) as place,
        count(*) over (
            partition by survivors.pair_kind, survivors.record_id, survivors.points
        ) as ties,
        lead(survivors.points) over (
            partition by survivors.pair_kind, survivors.record_id
            order by survivors.points desc
        ) as next_points
    from survivors
    left join refused
        on
            survivors.pair_kind = refused.pair_kind
            and survivors.record_id = refused.record_id
            and survivors.customer_id = refused.customer_id
    where refused.record_id is null
),

{# Nobody merges two customers of the ERP but a person, since that moves tiers. #}
judged as (
    select
        ranked.pair_kind,
        ranked.record_id,
        ranked.customer_id,
        cast(ranked.points as integer) as points,
        case
            when
                ranked.pair_kind = 'account'
                and ranked.place = 1
                and ranked.ties = 1
                and ranked.points >= limits.accept_points
                and ranked.points - coalesce(ranked.next_points, -1000)
                >= limits.margin_points
                then 'accepted'
            when
                ranked.pair_kind = 'duplicate'
                and ranked.points >= limits.accept_points
                then 'doubtful'
            when
                ranked.pair_kind in ('account', 'renumbered')
                and ranked.points >= limits.review_points
                then 'doubtful'
            else 'unlike'
        end as verdict
    from ranked
    cross join limits
)

select * from judged
