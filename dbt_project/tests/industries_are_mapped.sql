{{ config(severity='warn') }}
-- what the ERP or CRM calls an industry and seed industry_codes does not know
select
    industry,
    count(*) as customers
from {{ ref('int_industries_ranked') }}
where
    industry_code is not null
    and not is_mapped
group by industry
