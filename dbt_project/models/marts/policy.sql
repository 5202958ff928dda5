with
gathered as (select * from {{ ref('int_policy_rows_gathered') }}),
versions as (select * from {{ ref('int_policies_versioned') }}),

versioned as (
    select
        {{ business_date() }} as business_date,
        gathered.policy_id,
        gathered.role,
        versions.policy_version,
        gathered.seed,
        gathered.row_key,
        gathered.row_values
    from gathered
    inner join versions
        on
            gathered.policy_id = versions.policy_id
            and gathered.role = versions.role
)

select * from versioned
