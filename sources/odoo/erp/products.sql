-- Names are translated: en_US is always there, the first other one stands in.
-- Lines without a product (freight, services typed by hand) are sold as product 0.
select
    product_product.id::text as product_id,
    coalesce(
        product_template.name ->> 'en_US',
        (select min(translated.value) from jsonb_each_text(product_template.name) as translated)
    ) as name,
    product_category.complete_name as category,
    greatest(product_product.write_date, product_template.write_date) as updated_at
from product_product
inner join product_template on product_product.product_tmpl_id = product_template.id
left join product_category on product_template.categ_id = product_category.id
union all
select
    '0' as product_id,
    'No product' as name,
    null as category,
    timestamp '2000-01-01 00:00:00' as updated_at
