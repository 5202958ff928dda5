with

accounts as (

    select
        *,
        {{ letters_and_digits('tax_id') }} as tax_key

    from {{ ref('stg_crm__accounts') }}

),

customers as (

    select
        *,
        {{ letters_and_digits('tax_id') }} as tax_key

    from {{ ref('int_customers_resolved') }}

),

account_survivors as (

    {{ resolve_merges(ref('stg_crm__accounts'), 'account_id') }}

),

{# A tax number that two customers share decides nothing. #}
tax_keys as (

    select
        tax_key,
        min(survivor_id) as survivor_id

    from customers
    where tax_key is not null
    group by tax_key
    having count(distinct survivor_id) = 1

),

matched as (

    select
        accounts.account_id,
        account_survivors.survivor_id as surviving_account_id,
        coalesce(customers.survivor_id, tax_keys.survivor_id) as customer_id,
        case
            when customers.survivor_id = customers.customer_id then 'erp_customer_id'
            when customers.survivor_id is not null then 'merged_customer_id'
            when tax_keys.survivor_id is not null then 'tax_id'
        end as match_rule

    from accounts

    inner join account_survivors
        on accounts.account_id = account_survivors.record_id

    left join customers
        on accounts.erp_customer_id = customers.customer_id

    left join tax_keys
        on accounts.tax_key = tax_keys.tax_key

),

{# An account that was merged away follows the account that is left. #}
resolved as (

    select
        matched.account_id,
        matched.surviving_account_id,
        coalesce(survivors.customer_id, matched.customer_id) as customer_id,
        coalesce(survivors.match_rule, matched.match_rule) as match_rule

    from matched

    inner join matched as survivors
        on matched.surviving_account_id = survivors.account_id

)

select * from resolved
