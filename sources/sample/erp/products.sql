select
    article.article_no as product_id,
    article.description as name,
    article_family.family_name as category,
    article.base_unit as unit,
    article.standard_cost,
    article.changed_at as updated_at
from article
inner join article_family on article.family_code = article_family.family_code
