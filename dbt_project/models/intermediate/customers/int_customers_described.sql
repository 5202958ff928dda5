with
customers as (select * from {{ ref('int_customers_resolved') }}),
matches as (select * from {{ ref('int_accounts_matched') }}),
accounts as (select * from {{ ref('stg_crm__accounts') }}),
owners as (select * from {{ ref('stg_crm__owners') }}),

{# One account speaks for a customer: one that the CRM ties to it, then the oldest. #}
accounts_ranked as (
    select
        matches.customer_id,
        accounts.account_id,
        accounts.owner_id,
        accounts.industry,
        sum(accounts.annual_potential) over (
            partition by matches.customer_id
        ) as annual_potential,
        row_number() over (
            partition by matches.customer_id
            order by
                case matches.match_rule
                    when 'decision' then 1
                    when 'erp_customer_id' then 1
                    when 'merged_customer_id' then 2
                    else 3
                end,
                accounts.created_at,
                accounts.account_id
        ) as account_rank
    from matches
    inner join accounts on matches.account_id = accounts.account_id
    where
        matches.customer_id is not null
        and matches.account_id = matches.surviving_account_id
),

described as (
    select
        customers.customer_id,
        customers.customer_name,
        customers.country,
        customers.region,
        accounts_ranked.annual_potential,
        owners.owner_name,
        coalesce(customers.industry, accounts_ranked.industry) as industry,
        coalesce(accounts_ranked.owner_id, customers.account_manager_id) as owner_id
    from customers
    left join accounts_ranked
        on
            customers.customer_id = accounts_ranked.customer_id
            and accounts_ranked.account_rank = 1
    left join owners
        on
            coalesce(accounts_ranked.owner_id, customers.account_manager_id)
            = owners.owner_id
    where
        customers.customer_id = customers.survivor_id
        and not customers.is_internal
)

select * from described
