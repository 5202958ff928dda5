with
components as (select * from {{ ref('int_components_scored') }}),

scored as (
    select
        policy_id,
        business_date,
        customer_id,
        {{ weighted_score() }} as tier_score,
        max(case when component = 'contribution' then score end) as contribution_score,
        {{ dbt.listagg(
            "component || ' ' || cast(score as " ~ dbt.type_string()
            ~ ") || ' x ' || cast(weight as " ~ dbt.type_string() ~ ")",
            "' + '", "order by component"
        ) }} as score_parts
    from components
    group by policy_id, business_date, customer_id
)

select * from scored
