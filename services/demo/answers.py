"""How satisfied customers are. Pure.

Stars after the delivery have the means of Olist's public orders (Brazil, 2016–2018): 4.28 when it came on time, 2.27
when it came late. Everything else leans on the stars, so that a customer's answers agree with one another.
"""

LATE_SHARE = 0.07
STARS_ON_TIME = {1: 0.068, 2: 0.027, 3: 0.080, 4: 0.207, 5: 0.618}  # mean 4.28
STARS_LATE = {1: 0.50, 2: 0.13, 3: 0.13, 4: 0.08, 5: 0.16}  # mean 2.27

NPS_BY_STARS = {
    5: {10: 0.55, 9: 0.3, 8: 0.12, 7: 0.03},
    4: {10: 0.1, 9: 0.25, 8: 0.4, 7: 0.2, 6: 0.05},
    3: {8: 0.1, 7: 0.3, 6: 0.3, 5: 0.3},
    2: {6: 0.2, 5: 0.3, 4: 0.2, 3: 0.3},
    1: {3: 0.1, 2: 0.2, 1: 0.2, 0: 0.5},
}
# After a contact, by whether it was resolved.
CSAT_BY_OUTCOME = {
    True: {5: 0.5, 4: 0.3, 3: 0.1, 2: 0.06, 1: 0.04},
    False: {5: 0.04, 4: 0.1, 3: 0.16, 2: 0.3, 1: 0.4},
}
CES_BY_OUTCOME = {
    True: {7: 0.3, 6: 0.3, 5: 0.2, 4: 0.1, 3: 0.06, 2: 0.04},
    False: {5: 0.1, 4: 0.2, 3: 0.3, 2: 0.2, 1: 0.2},
}
RECOMMENDS_IN_STORE = {1: 0.88, 0: 0.12}
