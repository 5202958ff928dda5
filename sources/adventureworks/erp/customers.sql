select
    ResellerKey as customer_id,
    ResellerName as name,
    Country_Region as country,
    StateProvinceName as region,
    BusinessType as industry
from Resellers
