// Tells when a month's bill comes near what was meant. It stops nothing.

@description('A month\'s money, in the subscription\'s currency.')
param amount int

@description('First day of the month in which the budget is made. It cannot be changed afterwards.')
param start string

param email string

resource budget 'Microsoft.Consumption/budgets@2026-06-01' = {
  name: 'sdxl'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: start }
    notifications: {
      near: { enabled: true, operator: 'GreaterThan', threshold: 80, thresholdType: 'Actual', contactEmails: [email] }
      foreseen: { enabled: true, operator: 'GreaterThan', threshold: 100, thresholdType: 'Forecasted', contactEmails: [email] }
    }
  }
}
