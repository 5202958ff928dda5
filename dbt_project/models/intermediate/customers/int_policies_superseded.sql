with
policies as (select * from {{ ref('stg_bi__policies') }}),
versions as (select * from {{ ref('int_policies_versioned') }}),

other_versions as (
    select
        policies.*,
        max(policies.business_date) over () as newest_date
    from policies
    inner join versions
        on
            policies.policy_id = versions.policy_id
            and versions.role = 'leading'
            and policies.policy_version <> versions.policy_version
),

superseded as (
    select *
    from other_versions
    where business_date = newest_date
)

select * from superseded
