with
months as (
    select
        *,
        {{ margin('contribution') }} as contribution
    from {{ ref('int_contributions_aggregated_to_months') }}
    where window_number in (1, 2)
),

customers as (select * from {{ ref('int_orders_aggregated_to_customers') }}),
profiles as (select * from {{ ref('int_profiles_described') }}),
contacts as (select * from {{ ref('int_contacts_missed') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

windows as (
    select
        customer_id,
        sum(case when window_number = 1 then orders else 0 end) as orders_now,
        sum(case when window_number = 2 then orders else 0 end) as orders_before,
        sum(case when window_number = 1 then contribution else 0 end) as contribution_now,
        sum(case when window_number = 2 then contribution else 0 end) as contribution_before
    from months
    group by customer_id
),

{# A customer is there in a window in which it bought. #}
moved as (
    select
        policy.business_date,
        cast(extract(year from customers.first_sale_date) as integer) as cohort_year,
        windows.contribution_now,
        windows.contribution_before,
        case when contacts.is_contact_overdue then 1 when not contacts.is_contact_overdue then 0 end
            as contact_overdue,
        case
            when windows.orders_before > 0 and windows.orders_now > 0 then 'kept'
            when windows.orders_before > 0 and profiles.status in ('closed', 'blocked')
                then 'exited'
            when windows.orders_before > 0 then 'lost'
            when customers.first_sale_date > policy.window_start_date then 'won'
            else 'reactivated'
        end as movement
    from windows
    inner join customers on windows.customer_id = customers.customer_id
    left join profiles on windows.customer_id = profiles.customer_id
    left join contacts on windows.customer_id = contacts.customer_id
    cross join policy
    where windows.orders_before > 0 or windows.orders_now > 0
),

counted as (
    select
        {% for name, moves, contribution in rollforward() -%}
            cast(sum(case when movement in ({{ moves }}) then 1 else 0 end) as integer)
                as {{ name }}_customers,
            cast(
                sum(case when movement in ({{ moves }}) then {{ contribution }} else 0 end)
                as numeric(24, 6)
            ) as {{ name }}_contribution,
        {% endfor -%}
        cast(sum(case when movement in ('lost', 'exited') then contact_overdue end) as integer)
            as contact_overdue_customers,
        cast(
            avg(case when movement in ('lost', 'exited') then 1.0 * contact_overdue end)
            as numeric(5, 4)
        ) as contact_overdue_share,
        business_date,
        cohort_year
    from moved
    group by business_date, cohort_year
)

select
    *,
    cast(1.0 * kept_customers / nullif(opening_customers, 0) as numeric(5, 4))
        as retention_rate,
    cast(1 - 1.0 * kept_customers / nullif(opening_customers, 0) as numeric(5, 4))
        as churn_rate
from counted
