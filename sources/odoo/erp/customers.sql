-- Contacts of a company order and are invoiced too: they roll up to the commercial partner.
-- A partner that is a company of this database is internal: what it buys stays in the group.
-- A receipt may name nobody: customer 0 stands for that.
-- write_date is UTC without a zone. credit_limit is kept per company and is left out.
select
    res_partner.id::text as customer_id,
    res_partner.name,
    res_partner.vat as tax_id,
    res_country.code as country,
    res_country_state.name as region,
    case
        when
            exists (
                select 1 from res_company
                where res_company.partner_id = res_partner.id
            )
            then 'internal'
        when res_partner.active then 'active'
        else 'closed'
    end as status,
    res_partner.create_date::date as customer_since,
    res_partner.parent_id::text as parent_customer_id,
    res_partner.user_id::text as account_manager_id,
    res_partner.write_date as updated_at
from res_partner
left join res_country on res_partner.country_id = res_country.id
left join res_country_state on res_partner.state_id = res_country_state.id
where
    res_partner.id = res_partner.commercial_partner_id
    and (
        res_partner.customer_rank > 0
        or exists (
            select 1 from account_move
            where
                account_move.commercial_partner_id = res_partner.id
                and account_move.move_type in ('out_invoice', 'out_refund', 'out_receipt')
        )
        or exists (
            select 1 from sale_order
            inner join res_partner as contact on sale_order.partner_id = contact.id
            where contact.commercial_partner_id = res_partner.id
        )
    )
union all
select
    '0' as customer_id,
    'Nobody named' as name,
    null as tax_id,
    null as country,
    null as region,
    'internal' as status,
    null as customer_since,
    null as parent_customer_id,
    null as account_manager_id,
    timestamp '2000-01-01 00:00:00' as updated_at
where
    exists (
        select 1 from account_move
        where
            account_move.commercial_partner_id is null
            and account_move.move_type in ('out_invoice', 'out_refund', 'out_receipt')
    )
