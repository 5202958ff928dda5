with
gathered as (select * from {{ ref('int_policy_rows_gathered') }}),
published as (select * from {{ ref('stg_bi__policies') }}),

versioned as (
    select
        policy_id,
        role,
        left(
            md5(string_agg(
                concat_ws(' ', seed, row_key, row_values), chr(10)
                order by seed collate "C", row_key collate "C"
            )),
            12
        ) as policy_version
    from gathered
    group by policy_id, role
),

{# Of each policy, the version that decided the last published night. #}
before as (
    select
        policy_id,
        max(policy_version) as policy_version
    from published
    where business_date = last_night
    group by policy_id
),

compared as (
    select
        versioned.*,
        before.policy_version as policy_version_before,
        coalesce(versioned.policy_version <> before.policy_version, false) as is_edited
    from versioned
    left join before on versioned.policy_id = before.policy_id
)

select * from compared
