-- Odoo keeps units of the currency per unit of the base currency; the contract wants the opposite.
select
    res_currency.name as currency,
    res_currency_rate.name as valid_from,
    1 / avg(res_currency_rate.rate) as rate
from res_currency_rate
inner join res_currency on res_currency_rate.currency_id = res_currency.id
where res_currency_rate.rate > 0
group by res_currency.name, res_currency_rate.name
