{# How references and tax numbers are written alike, as identity/names.py has it: full-width forms
   and odd spaces, and what people write before and behind a tax number. #}
{%- set wide = '０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ'
    ~ 'ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ－＿／．＃º°\u3000\u00a0\t' -%}
{%- set plain = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
    ~ 'ABCDEFGHIJKLMNOPQRSTUVWXYZ-_/.#OO   ' -%}
{%- set label = '^([A-Z][A-Z])?(VAT|USCC|UST|UMSATZSTEUER|UID|TVA|MWST|MVA|MOMS|IVA|PIVA'
    ~ '|PARTITAIVA|BTW|GST|FEIN|EIN|TIN|TAX|STEUER|STNR|NIF|CIF|NIP'
    ~ '|统一社会信用代码|社会信用代码|纳税人识别号|納稅人識別號|税号|稅號)'
    ~ '(INTRACOM|REGISTRATION|REG|IDENTIFIKATIONS|IDENTIFICATION|IDENT|ID)?'
    ~ '(NUMBER|NUMMER|NUMERO|NUM|NO|NR)?' -%}
{%- set plain_tax_id = "translate(tax_id, '" ~ wide ~ "', '" ~ plain ~ "')" -%}
{%- set label_behind = '(VAT|TVA|MWST|MVA|MOMS|IVA)$' -%}

with
accounts as (select * from {{ ref('stg_crm__accounts') }}),
customers as (select * from {{ ref('int_customers_resolved') }}),
listed as (select * from {{ ref('stg_erp__customers') }}),

scores as (select * from {{ ref('int_matches_scored') }}),

limits as (
    {{ rows_in_force(ref('match_limits')) }}
),

decisions as (select * from {{ ref('stg_ops__identity_decisions') }}),

account_survivors as (
    {{ resolve_merges(ref('stg_crm__accounts'), 'account_id') }}
),

{# What an account says of its customer, and what customers say of themselves, written alike. #}
written as (
    select
        'crm' as side,
        account_id as record_id,
        cast(null as {{ dbt.type_string() }}) as survivor_id,
        erp_customer_id as reference,
        tax_id
    from accounts

    union all

    select
        'erp' as side,
        customers.customer_id as record_id,
        customers.survivor_id,
        customers.customer_id as reference,
        listed.tax_id
    from customers
    left join listed on customers.customer_id = listed.customer_id
),

{# A tax number has two digits at least: n/a, or 0, is none. #}
keys as (
    select
        side,
        record_id,
        survivor_id,
        nullif(
            upper(trim(translate(reference, '{{ wide }}', '{{ plain }}'))), ''
        ) as reference_key,
        case
            when length(tax_id) - length(translate(tax_id, '0123456789{{ wide[:10] }}', '')) >= 2
                then regexp_replace(
                    regexp_replace(
                        {{ letters_and_digits(plain_tax_id) }}, '{{ label }}', ''
                    ),
                    '{{ label_behind }}',
                    ''
                )
        end as tax_key
    from written
),

{# A customer number that, written alike, two customers have decides nothing ... #}
reference_keys as (
    select
        reference_key,
        min(survivor_id) as survivor_id,
        max(case when record_id = survivor_id then 1 else 0 end) as is_survivor
    from keys
    where
        side = 'erp'
        and reference_key is not null
    group by reference_key
    having count(distinct survivor_id) = 1
),

{# ... and neither does such a tax number. One of a number merged away is that of who is left. #}
tax_keys as (
    select
        tax_key,
        min(survivor_id) as survivor_id
    from keys
    where
        side = 'erp'
        and tax_key is not null
    group by tax_key
    having count(distinct survivor_id) = 1
),

latest_accepted as (
    select
        account_id,
        max(decision_id) as decision_id
    from decisions
    where kind = 'accept'
    group by account_id
),

{# Every rule has its say, the first one that is left decides. #}
proposed as (
    select
        latest_accepted.account_id,
        customers.survivor_id as customer_id,
        'decision' as match_rule,
        1 as place,
        cast(1 as numeric(5, 4)) as confidence
    from latest_accepted
    inner join decisions on latest_accepted.decision_id = decisions.decision_id
    inner join customers on decisions.customer_id = customers.customer_id

    union all

    select
        accounts.account_id,
        customers.survivor_id,
        case
            when customers.survivor_id = customers.customer_id then 'erp_customer_id'
            else 'merged_customer_id'
        end as match_rule,
        2 as place,
        cast(1 as numeric(5, 4)) as confidence
    from accounts
    inner join customers on accounts.erp_customer_id = customers.customer_id

    union all

    select
        keys.record_id as account_id,
        reference_keys.survivor_id as customer_id,
        case
            when reference_keys.is_survivor = 1 then 'erp_customer_id'
            else 'merged_customer_id'
        end as match_rule,
        3 as place,
        cast(1 as numeric(5, 4)) as confidence
    from keys
    inner join reference_keys on keys.reference_key = reference_keys.reference_key
    where keys.side = 'crm'

    union all

    select
        keys.record_id as account_id,
        tax_keys.survivor_id as customer_id,
        'tax_id' as match_rule,
        4 as place,
        limits.tax_id_confidence as confidence
    from keys
    inner join tax_keys on keys.tax_key = tax_keys.tax_key
    cross join limits
    where keys.side = 'crm'

    union all

    select
        scores.record_id as account_id,
        scores.customer_id,
        'score' as match_rule,
        5 as place,
        least(limits.score_confidence, cast(scores.points / 100.0 as numeric(5, 4)))
            as confidence
    from scores
    cross join limits
    where
        scores.pair_kind = 'account'
        and scores.verdict = 'accepted'
),

rejected as (
    select
        decisions.account_id,
        customers.survivor_id as customer_id
    from decisions
    inner join customers on decisions.customer_id = customers.customer_id
    where decisions.kind = 'reject'
),

ranked as (
    select
        proposed.*,
        row_number() over (
            partition by proposed.account_id
            order by proposed.place
        ) as choice
    from proposed
    left join rejected
        on
            proposed.account_id = rejected.account_id
            and proposed.customer_id = rejected.customer_id
    where
        rejected.account_id is null
        or proposed.match_rule = 'decision'
),

{# An account that was merged away follows the account that is left. #}
resolved as (
    select
        account_survivors.record_id as account_id,
        account_survivors.survivor_id as surviving_account_id,
        coalesce(of_survivor.customer_id, own.customer_id) as customer_id,
        coalesce(of_survivor.match_rule, own.match_rule) as match_rule,
        coalesce(of_survivor.confidence, own.confidence) as confidence
    from account_survivors
    left join ranked as own
        on
            account_survivors.record_id = own.account_id
            and own.choice = 1
    left join ranked as of_survivor
        on
            account_survivors.survivor_id = of_survivor.account_id
            and of_survivor.choice = 1
)

select * from resolved
