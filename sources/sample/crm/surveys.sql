select
    survey_no::text as survey_id,
    account_no::text as account_id,
    lower(form) as kind,
    sent_at,
    replied_at as answered_at,
    rating as score,
    changed_at as updated_at
from survey
