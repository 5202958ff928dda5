with
profiles as (select * from {{ ref('int_profiles_described') }}),
rated as (select * from {{ ref('int_profiles_rated') }}),

measured as (
    select
        profiles.customer_id,
        rated.quarantined_lines,
        cast(
            profiles.identity_confidence * coalesce(rated.sales_confidence, 1)
            as numeric(5, 4)
        ) as data_confidence
    from profiles
    left join rated on profiles.customer_id = rated.customer_id
)

select * from measured
