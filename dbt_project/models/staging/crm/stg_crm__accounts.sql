with
accounts as (select * from {{ source('crm', 'accounts') }}),

renamed as (
    select
        account_id,
        name as account_name,
        tax_id,
        domain,
        phone,
        address,
        postal_code,
        city,
        country,
        industry,
        owner_id,
        erp_customer_id,
        merged_into_id,
        founded_on as founded_date,
        annual_potential,
        contract_until as contract_until_date,
        created_at,
        updated_at,
        coalesce(strategic, false) as is_strategic
    from accounts
)

select * from renamed
