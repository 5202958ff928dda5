{%- set components = ['price_acceptance', 'products_held', 'contract_months'] -%}
with
customers as (select * from {{ ref('int_orders_aggregated_to_customers') }}),
held as (select * from {{ ref('int_products_held') }}),
accounts as (select * from {{ ref('stg_crm__accounts') }}),
matches as (select * from {{ ref('int_accounts_matched') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

weights as (
    {{ rows_in_force(ref('stickiness_weights')) }}
),

contracts as (
    select
        matches.customer_id,
        max(accounts.contract_until_date) as contract_until_date
    from accounts
    inner join matches on accounts.account_id = matches.account_id
    where matches.customer_id is not null
    group by matches.customer_id
),

{# A contract that has run out holds nobody; one that nobody knows of says nothing. #}
measured as (
    select
        customers.customer_id,
        held.price_acceptance,
        coalesce(held.products_held, 0) as products_held,
        cast(case
            when contracts.contract_until_date <= policy.business_date then 0
            else {{ dbt.datediff(
                'policy.business_date', 'contracts.contract_until_date', 'day'
            ) }} * 12 / 365.25
        end as numeric(9, 2)) as contract_months,
        customers.orders >= policy.loyalty_minimum_orders as is_measured
    from customers
    cross join policy
    left join held on customers.customer_id = held.customer_id
    left join contracts on customers.customer_id = contracts.customer_id
),

{# Parts without data give their weight to the others. #}
weighed as (
    select
        measured.*,
        weights.minimum_completeness,
        {% for component in components -%}
            case
                when measured.{{ component }} is null then 0
                else least(1, measured.{{ component }} / {{ component }}_full)
            end * {{ component }}_weight
            {{- ' +' if not loop.last }}
        {% endfor -%}
            as weighted_sum,
        cast(
            {% for component in components -%}
                case when measured.{{ component }} is null then 0 else {{ component }}_weight end
                {{- ' +' if not loop.last }}
            {% endfor %}
            as numeric(5, 4)
        ) as stickiness_completeness
    from measured
    cross join weights
),

indexed as (
    select
        customer_id,
        price_acceptance,
        products_held,
        contract_months,
        stickiness_completeness,
        case
            when is_measured and stickiness_completeness >= minimum_completeness
                then cast(100 * weighted_sum / stickiness_completeness as numeric(7, 4))
        end as stickiness
    from weighed
)

select * from indexed
