-- The rates of one company: the first whose currency is that of this source. Odoo keeps units of a
-- currency per unit of a common one, so a rate is that of the company's currency divided by it. A
-- rate of the company goes before one that all companies share, however old; branches use the
-- rates of the company that they belong to.
with
company as (
    select
        res_company.id,
        coalesce(res_company.parent_id, res_company.id) as root_id,
        res_company.currency_id
    from res_company
    inner join res_currency on res_company.currency_id = res_currency.id
    where res_currency.name = '$base_currency'
    order by res_company.id
    limit 1
),

own as (
    select
        res_currency_rate.currency_id,
        res_currency_rate.name as rate_date,
        res_currency_rate.rate::numeric as rate,
        res_currency_rate.company_id is null as is_shared,
        min(res_currency_rate.name) filter (where res_currency_rate.company_id is not null)
            over (partition by res_currency_rate.currency_id) as own_since
    from res_currency_rate
    inner join company
        on
            res_currency_rate.company_id is null
            or res_currency_rate.company_id in (company.id, company.root_id)
    where res_currency_rate.rate > 0
),

followed as (
    select
        own.currency_id,
        own.rate_date,
        min(own.rate) as rate
    from own
    where not own.is_shared or own.own_since is null or own.rate_date < own.own_since
    group by own.currency_id, own.rate_date
),

changed as (
    select
        followed.currency_id,
        followed.rate_date
    from followed
    union
    select
        priced.currency_id,
        base.rate_date
    from followed as base
    inner join company on base.currency_id = company.currency_id
    cross join (select distinct followed.currency_id from followed) as priced
),

numbered as (
    select
        changed.currency_id,
        changed.rate_date,
        followed.rate,
        base.rate as base_rate,
        count(followed.rate)
            over (partition by changed.currency_id order by changed.rate_date) as rate_no,
        count(base.rate)
            over (partition by changed.currency_id order by changed.rate_date) as base_rate_no
    from changed
    cross join company
    left join followed
        on changed.currency_id = followed.currency_id and changed.rate_date = followed.rate_date
    left join followed as base
        on company.currency_id = base.currency_id and changed.rate_date = base.rate_date
    where changed.currency_id <> company.currency_id
),

carried as (
    select
        numbered.currency_id,
        numbered.rate_date,
        max(numbered.rate) over (partition by numbered.currency_id, numbered.rate_no) as rate,
        max(numbered.base_rate)
            over (partition by numbered.currency_id, numbered.base_rate_no) as base_rate
    from numbered
)

select
    res_currency.name as currency,
    carried.rate_date as valid_from,
    coalesce(carried.base_rate, 1) / carried.rate as rate
from carried
inner join res_currency on carried.currency_id = res_currency.id
where carried.rate is not null
