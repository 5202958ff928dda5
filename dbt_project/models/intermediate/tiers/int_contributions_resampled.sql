with
months as (
    select *
    from {{ ref('int_contributions_aggregated_to_months') }}
    where window_number = 1
),

policies as (
    select policy_id
    from {{ ref('int_policies_in_force') }}
    where role = 'leading'
),

{# What the policy ranks by, if by money; else by what we earn. #}
judged_by as (
    select
        policies.policy_id,
        weights.component,
        row_number() over (order by weights.weight desc, weights.component asc)
            as heaviest_first
    from policies
    left join {{ ref('int_weights_in_force') }} as weights
        on
            policies.policy_id = weights.policy_id
            and weights.component in ({{ money_components() }})
),

judged as (
    select
        months.*,
        judged_by.component
    from months
    inner join judged_by on judged_by.heaviest_first = 1
),

valued as (
    select
        customer_id,
        cast(extract(month from month_start_date) as integer) as month_of_year,
        case component
            when 'net_revenue' then net_revenue
            when 'cm1' then {{ margin('cm1') }}
            else {{ margin('contribution') }}
        end as amount
    from judged
),

halved as (
    select
        {% for months in half_samples() -%}
            sum(
                case when month_of_year in ({{ months | join(', ') }}) then amount end
            ) as amount_{{ loop.index }},
        {% endfor -%}
        sum(amount) as amount_of_all,
        customer_id
    from valued
    group by customer_id
),

{# What the window would have brought, more or less, had each half of the year come twice
   and the other half not at all. #}
resampled as (
    select
        {% for _ in half_samples() -%}
            2 * coalesce(amount_{{ loop.index }}, 0) - amount_of_all as change_{{ loop.index }},
        {% endfor -%}
        customer_id
    from halved
)

select * from resampled
