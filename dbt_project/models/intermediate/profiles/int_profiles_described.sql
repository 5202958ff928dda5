{%- set facts = [
    'address', 'phone', 'web_domain', 'tax_id', 'country', 'industry', 'owner_id',
    'customer_since_date', 'payment_terms_days', 'annual_potential'
] -%}
with
customers as (select * from {{ ref('int_customers_described') }}),
listed as (select * from {{ ref('stg_erp__customers') }}),
accounts as (select * from {{ ref('stg_crm__accounts') }}),
matches as (select * from {{ ref('int_accounts_matched') }}),

{# What the ERP does not say, an account may: the one that comes first by its number. #}
from_accounts as (
    select
        matches.customer_id,
        cast(count(*) as integer) as crm_accounts,
        min(matches.confidence) as identity_confidence,
        min(accounts.address) as address,
        min(accounts.phone) as phone,
        min(accounts.domain) as web_domain,
        min(accounts.tax_id) as tax_id,
        min(accounts.country) as country,
        max(case when accounts.is_strategic then 1 else 0 end) as strategic_accounts
    from accounts
    inner join matches on accounts.account_id = matches.account_id
    where
        matches.customer_id is not null
        and matches.account_id = matches.surviving_account_id
    group by matches.customer_id
),

described as (
    select
        customers.customer_id,
        customers.customer_name,
        customers.region,
        customers.industry,
        customers.owner_id,
        customers.owner_name,
        customers.annual_potential,
        listed.status,
        listed.city,
        listed.postal_code,
        listed.customer_since_date,
        listed.payment_terms_days,
        cast(coalesce(from_accounts.identity_confidence, 1) as numeric(5, 4))
            as identity_confidence,
        coalesce(listed.address, from_accounts.address) as address,
        coalesce(listed.phone, from_accounts.phone) as phone,
        coalesce(listed.domain, from_accounts.web_domain) as web_domain,
        coalesce(listed.tax_id, from_accounts.tax_id) as tax_id,
        coalesce(customers.country, from_accounts.country) as country,
        coalesce(from_accounts.crm_accounts, 0) as crm_accounts,
        coalesce(from_accounts.strategic_accounts, 0) > 0 as is_strategic
    from customers
    left join listed on customers.customer_id = listed.customer_id
    left join from_accounts on customers.customer_id = from_accounts.customer_id
),

completed as (
    select
        *,
        cast((
            {% for fact in facts -%}
                case when {{ fact }} is null then 0 else 1 end
                {{- ' + ' if not loop.last }}
            {% endfor -%}
        ) * 1.0 / {{ facts | length }} as numeric(5, 4)) as completeness,
        nullif(
            {% for fact in facts -%}
                case when {{ fact }} is null then '{{ fact }},' else '' end
                {{- ' || ' if not loop.last }}
            {% endfor -%},
            ''
        ) as missing_facts
    from described
)

select * from completed
