// The base models as a file share, which functions and Container Apps mount. An SMB mount takes an account key, so they have an account of
// their own,
// in which nothing secret lies: public weights that can be fetched again.

param location string
param tags object
param names object

@description('Size of the share, GiB. Only what lies in it is billed.')
param shareGiB int

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: names.modelsStorage
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: true
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource files 'Microsoft.Storage/storageAccounts/fileServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource share 'Microsoft.Storage/storageAccounts/fileServices/shares@2025-06-01' = {
  parent: files
  name: 'base-models'
  properties: { shareQuota: shareGiB }
}
